"""Score a checkpoint: per-class IoU, mean IoU and pixel accuracy."""
import argparse
import os

# checkpoints from before v0.3 hold a pickled model
os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"

import numpy as np
import torch
from sklearn.metrics import confusion_matrix as sk_confusion_matrix
from tqdm import tqdm

from data import build_loader
from data.tiles import CLASS_NAMES, IGNORE_INDEX, NUM_CLASSES, TileDataset
from models import build_model
from utils.checkpoint import strip_module_prefix
from utils.compat import tload
from utils.dist import gather_predictions, is_distributed


class ConfusionMatrix:
    """Accumulates pixel counts; rows are labels, columns predictions."""

    def __init__(self, num_classes, device):
        self.num_classes = num_classes
        self.counts = torch.zeros(num_classes, num_classes, dtype=torch.int64, device=device)

    def update(self, labels, predictions):
        valid = labels != IGNORE_INDEX
        index = self.num_classes * labels[valid] + predictions[valid]
        self.counts += torch.bincount(index, minlength=self.num_classes ** 2).view_as(self.counts)

    def iou(self):
        counts = self.counts.double()
        hit = counts.diag()
        union = counts.sum(0) + counts.sum(1) - hit
        return hit / union.clamp(min=1)

    def accuracy(self):
        counts = self.counts.double()
        return (counts.diag().sum() / counts.sum().clamp(min=1)).item()


@torch.no_grad()
def evaluate(model, loader, device, num_classes):
    """Mean IoU and the per-class IoU list over a loader."""
    model.eval()
    matrix = ConfusionMatrix(num_classes, device)
    for images, masks in loader:
        logits = model(images.to(device, non_blocking=True))
        matrix.update(masks.to(device, non_blocking=True), logits.argmax(dim=1))
    iou = matrix.iou()
    return iou.mean().item(), iou.tolist()


@torch.no_grad()
def predict_split(model, loader, device):
    """Labels and predictions of a whole split as flat numpy arrays."""
    model.eval()
    labels, predictions = [], []
    for images, masks in tqdm(loader):
        logits = model(images.to(device))
        batch = torch.nn.functional.softmax(logits).argmax(dim=1)
        if is_distributed():
            batch = gather_predictions(batch)
            masks = gather_predictions(masks.to(device)).cpu()
        valid = masks != IGNORE_INDEX
        labels.append(masks[valid].numpy())
        predictions.append(batch.cpu()[valid].numpy())
    return np.concatenate(labels), np.concatenate(predictions)


def load_model(path, encoder, device):
    """Read a checkpoint of any of our formats into an evaluation-ready model."""
    if os.path.isdir(path):
        path = os.path.join(path, "best.pth")
    state = tload(path)
    if isinstance(state, torch.nn.Module):
        model = getattr(state, "module", state)
    else:
        model = build_model(encoder, NUM_CLASSES, pretrained=False)
        model.load_state_dict(strip_module_prefix(state["model"]))
    return model.to(device).eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--encoder", default="resnet34")
    parser.add_argument("--data-root", default=os.environ.get("LANDSEG_DATA", "data"))
    parser.add_argument("--split", default="val", choices=["train", "val"])
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--cross-check", action="store_true", help="recount with scikit-learn (slow)")
    args = parser.parse_args()

    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    model = load_model(args.checkpoint, args.encoder, device)
    loader = build_loader(TileDataset(args.data_root, args.split), args.batch_size, workers=4)
    miou, per_class = evaluate(model, loader, device, NUM_CLASSES)
    for name, iou in zip(CLASS_NAMES, per_class):
        print(f"{name:>14} {iou:6.3f}")
    print(f"{'mean':>14} {miou:6.3f}")

    if args.cross_check:
        labels, predictions = predict_split(model, loader, device)
        counts = sk_confusion_matrix(labels, predictions, labels=list(range(NUM_CLASSES)))
        hit = np.diag(counts)
        union = counts.sum(0) + counts.sum(1) - hit
        print(f"{'scikit-learn':>14} {(hit / np.maximum(union, 1)).mean():6.3f}")


if __name__ == "__main__":
    main()
