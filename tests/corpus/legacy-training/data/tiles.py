"""Aerial tiles (four bands) with their label masks."""
import glob
import os

import cv2
import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from utils.checkpoint import load_band_stats
from utils.compat import string_classes

CLASS_NAMES = ["water", "forest", "crop", "grass", "bare", "built-up", "road"]
NUM_CLASSES = len(CLASS_NAMES)
NUM_BANDS = 4
IGNORE_INDEX = 255


class TileDataset(Dataset):
    """Pairs of a normalised float32 tile (4, H, W) and an int64 mask (H, W).

    Args:
        root: folder with one folder per split and `stats.pkl`.
        split: "train" or "val".
        tile_size: side of the crop in pixels.
        augment: random crop, flips, rotation and colour jitter; centre crop otherwise.
    """

    def __init__(self, root, split, tile_size=512, augment=False):
        self.image_dir = os.path.join(root, split, "images")
        self.mask_dir = os.path.join(root, split, "masks")
        self.tile_size = tile_size
        self.augment = augment
        self.names = [os.path.splitext(name)[0] for name in os.listdir(self.image_dir)]
        self.rng = np.random.RandomState(0)
        mean, std = load_band_stats(os.path.join(root, "stats.pkl"))
        self.mean = np.asarray(mean, dtype=np.float32)
        self.std = np.asarray(std, dtype=np.float32)
        known = {os.path.splitext(os.path.basename(p))[0] for p in sorted(glob.glob(os.path.join(self.mask_dir, "*.png")))}
        missing = [name for name in self.names if name not in known]
        if missing:
            raise FileNotFoundError(f"{len(missing)} tiles of {split} have no mask, first: {missing[0]}")

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        name = self.names[index]
        image = np.load(os.path.join(self.image_dir, name + ".npy")).astype(np.float32)
        mask = np.array(Image.open(os.path.join(self.mask_dir, name + ".png")))
        image = (image - self.mean) / self.std
        image, mask = self._crop(image, mask)
        if self.augment:
            image, mask = self._augment(image, mask)
        image = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
        return image, torch.from_numpy(np.ascontiguousarray(mask)).long()

    def _crop(self, image, mask):
        size = self.tile_size
        height, width = mask.shape
        if height < size or width < size:
            bottom, right = max(size - height, 0), max(size - width, 0)
            image = cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_REFLECT_101)
            mask = cv2.copyMakeBorder(mask, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=IGNORE_INDEX)
            height, width = mask.shape
        if self.augment:
            top = self.rng.randint(0, height - size + 1)
            left = self.rng.randint(0, width - size + 1)
        else:
            top, left = (height - size) // 2, (width - size) // 2
        window = (slice(top, top + size), slice(left, left + size))
        return image[window], mask[window]

    def _augment(self, image, mask):
        if self.rng.rand() < 0.5:
            image, mask = image[:, ::-1], mask[:, ::-1]
        turns = self.rng.randint(4)
        image, mask = np.rot90(image, turns), np.rot90(mask, turns)
        image = image * self.rng.uniform(0.9, 1.1, size=(1, 1, NUM_BANDS)).astype(np.float32)
        return pca_lighting(image, self.rng.normal(0, 0.1, size=NUM_BANDS)), mask


def pca_lighting(image, strengths):
    """Shift a tile along the principal axes of its own bands (AlexNet-style lighting noise)."""
    pixels = torch.from_numpy(np.ascontiguousarray(image.reshape(-1, NUM_BANDS))[::97])
    centred = pixels - pixels.mean(dim=0)
    covariance = centred.t() @ centred / max(len(centred) - 1, 1)
    values, vectors = torch.symeig(covariance, eigenvectors=True)
    shift = vectors @ (values.clamp(min=0).sqrt() * torch.as_tensor(strengths, dtype=values.dtype))
    return image + shift.numpy()


def collate_tiles(batch):
    """Stack tiles and masks; anything textual stays a list."""
    columns = []
    for column in zip(*batch):
        if isinstance(column[0], string_classes):
            columns.append(list(column))
        else:
            columns.append(torch.stack(column))
    return tuple(columns)
