import torch
import torch.nn as nn

from models.backbone import build_encoder
from models.unet import UNet


def build_model(encoder, num_classes, pretrained=True):
    """A U-Net on the named encoder, on the CPU and in training mode."""
    return UNet(build_encoder(encoder, pretrained=pretrained), num_classes)


def replicate(model):
    """Use all visible GPUs when the job was not started by the launcher."""
    if torch.cuda.device_count() > 1:
        return nn.DataParallel(model)
    return model
