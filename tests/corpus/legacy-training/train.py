"""Train a land-cover segmentation model on one or many GPUs."""
import argparse
import json
import logging
import os
import time
from datetime import datetime

os.environ["NCCL_BLOCKING_WAIT"] = "1"
os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
os.environ.setdefault("MASTER_PORT", "29500")

import torch
import torch.backends.cudnn as cudnn
import torch.distributed as dist
import torch.nn as nn
import yaml
from torch.cuda.amp import GradScaler, autocast
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.optim.lr_scheduler import MultiStepLR
from torch.utils.data.distributed import DistributedSampler
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from data import build_loader, write_tile_index
from data.tiles import NUM_CLASSES, IGNORE_INDEX, TileDataset
from evaluate import evaluate
from models import build_model, replicate
from utils import AverageMeter, set_seed
from utils.checkpoint import load_checkpoint, save_checkpoint, strip_module_prefix
from utils.dist import is_distributed, report_throughput

try:
    from apex.optimizers import FusedSGD
except ImportError:
    FusedSGD = None

logger = logging.getLogger("landseg")


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default=None, help="YAML file whose keys override the defaults")
    parser.add_argument("--data-root", default="/home/shared/datasets/landcover")
    parser.add_argument("--output", default="runs")
    parser.add_argument("--encoder", default="resnet34", choices=["resnet34", "resnet50", "efficientnet_b3"])
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--batch-size", type=int, default=8, help="tiles per GPU")
    parser.add_argument("--lr", type=float, default=0.02)
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--weight-decay", type=float, default=1e-4)
    parser.add_argument("--milestones", type=int, nargs="+", default=[50, 70])
    parser.add_argument("--clip-grad", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=6)
    parser.add_argument("--tile-size", type=int, default=512)
    parser.add_argument("--patience", type=int, default=15)
    parser.add_argument("--save-every", type=int, default=5)
    parser.add_argument("--log-interval", type=int, default=50)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--amp", action="store_true")
    parser.add_argument("--fused", action="store_true", help="use the fused SGD of apex")
    parser.add_argument("--throughput", action="store_true", help="print images/s over all GPUs after each epoch")
    parser.add_argument("--resume", default="")
    parser.add_argument("--local_rank", type=int, default=0, help="set by the launcher")
    args = parser.parse_args()
    if args.config:
        with open(args.config) as f:
            for key, value in yaml.safe_load(f).items():
                if not hasattr(args, key):
                    parser.error(f"unknown key in {args.config}: {key}")
                setattr(args, key, value)
    return args


def setup_distributed(args):
    """Join the job's process group and pick this process's GPU.

    Returns:
        (rank, world_size, device); (0, 1, device) for a single process.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        dist.init_process_group(backend="nccl", init_method="env://")
        rank = dist.get_rank()
        torch.cuda.set_device(rank)
        return rank, dist.get_world_size(), torch.device("cuda", rank)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return 0, 1, device


def build_optimizer(model, args):
    """SGD without weight decay on normalisation weights and biases."""
    decay, no_decay = [], []
    for name, param in model.named_parameters():
        if not param.requires_grad:
            continue
        (no_decay if param.ndim == 1 or name.endswith(".bias") else decay).append(param)
    groups = [
        {"params": decay, "weight_decay": args.weight_decay},
        {"params": no_decay, "weight_decay": 0.0},
    ]
    if args.fused:
        if FusedSGD is None:
            raise RuntimeError("--fused needs apex")
        return FusedSGD(groups, lr=args.lr, momentum=args.momentum)
    return torch.optim.SGD(groups, lr=args.lr, momentum=args.momentum, nesterov=True)


def train_one_epoch(model, loader, criterion, optimizer, scaler, device, epoch, args, writer=None):
    """One pass over the loader; returns the mean loss and the number of tiles seen."""
    model.train()
    batch_time = AverageMeter()
    epoch_loss = 0.0
    seen = 0
    end = time.time()
    progress = tqdm(loader, desc=f"epoch {epoch}", disable=writer is None)
    for step, (images, masks) in enumerate(progress):
        images = images.to(device, non_blocking=True)
        masks = masks.to(device, non_blocking=True)

        with autocast(enabled=args.amp):
            logits = model(images)
            loss = criterion(logits, masks)

        # crops that are all "ignore" give a NaN loss
        if torch.isnan(loss):
            logger.warning("skipping batch %d of epoch %d", step, epoch)
            continue

        optimizer.zero_grad()
        scaler.scale(loss).backward()
        nn.utils.clip_grad_norm_(model.parameters(), args.clip_grad)
        scaler.step(optimizer)
        scaler.update()

        epoch_loss += loss
        seen += images.size(0)
        batch_time.update(time.time() - end)
        end = time.time()
        if step % args.log_interval == 0 and writer is not None:
            global_step = epoch * len(loader) + step
            writer.add_scalar("train/loss", loss.item(), global_step)
            writer.add_scalar("train/lr", optimizer.param_groups[0]["lr"], global_step)
            progress.set_postfix(loss=f"{loss.item():.4f}", time=f"{batch_time.avg:.3f}s")
    return epoch_loss / max(len(loader), 1), seen


def main():
    args = parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    rank, world_size, device = setup_distributed(args)
    set_seed(args.seed)
    cudnn.benchmark = True

    run_dir = os.path.join(args.output, datetime.now().strftime("%Y%m%d-%H%M%S"))
    os.makedirs(run_dir, exist_ok=True)
    writer = None
    if rank == 0:
        writer = SummaryWriter(os.path.join(run_dir, "tb"))
        with open(os.path.join(run_dir, "args.json"), "w") as f:
            json.dump(vars(args), f, indent=2)

    if rank == 0 and world_size > 1:
        write_tile_index(args.data_root, args.tile_size)
        dist.barrier()

    train_set = TileDataset(args.data_root, "train", args.tile_size, augment=True)
    val_set = TileDataset(args.data_root, "val", args.tile_size)
    train_sampler = DistributedSampler(train_set) if world_size > 1 else None
    train_loader = build_loader(train_set, args.batch_size, args.workers, sampler=train_sampler, training=True)
    val_loader = build_loader(val_set, args.batch_size, args.workers)

    # the first process downloads the encoder weights, the others read its cache
    if is_distributed() and rank != 0:
        dist.barrier()
    model = build_model(args.encoder, NUM_CLASSES, pretrained=True)
    if is_distributed() and rank == 0:
        dist.barrier()

    model = nn.SyncBatchNorm.convert_sync_batchnorm(model) if world_size > 1 else model
    model = model.to(device)
    criterion = nn.CrossEntropyLoss(ignore_index=IGNORE_INDEX)
    optimizer = build_optimizer(model, args)
    scheduler = MultiStepLR(optimizer, milestones=args.milestones, gamma=0.1, verbose=True)
    scaler = GradScaler(enabled=args.amp)

    start_epoch, best_miou = 0, 0.0
    if args.resume:
        start_epoch, best_miou = load_checkpoint(args.resume, model, optimizer, scheduler)
        logger.info("resumed %s at epoch %d", args.resume, start_epoch)

    if world_size > 1:
        model = DDP(model, device_ids=[rank])
    else:
        model = replicate(model)

    stale = 0
    for epoch in range(start_epoch, args.epochs):
        began = time.time()
        train_loss, seen = train_one_epoch(
            model, train_loader, criterion, optimizer, scaler, device, epoch, args, writer)
        scheduler.step()
        if args.throughput and world_size > 1:
            report_throughput(seen, time.time() - began, device)

        if rank == 0:
            miou, per_class = evaluate(model, val_loader, device, NUM_CLASSES)
            logger.info("epoch %d loss %.4f mIoU %.4f", epoch, train_loss, miou)
            writer.add_scalar("val/miou", miou, epoch)
            for index, iou in enumerate(per_class):
                writer.add_scalar(f"val/iou_{index}", iou, epoch)
            if miou > best_miou:
                best_miou, stale = miou, 0
                save_checkpoint(os.path.join(run_dir, "best.pth"), model, optimizer, scheduler, epoch, best_miou, args)
            else:
                stale += 1
        if args.local_rank == 0 and (epoch + 1) % args.save_every == 0:
            save_checkpoint(os.path.join(args.output, "last.pth"), model, optimizer, scheduler, epoch, best_miou, args)
        if rank == 0 and stale > args.patience:
            logger.info("no improvement for %d epochs, stopping", stale)
            break

    os.makedirs("weights", exist_ok=True)
    torch.save(strip_module_prefix(model.state_dict()), "weights/landseg_final.pth")
    if writer is not None:
        writer.close()


if __name__ == "__main__":
    main()
