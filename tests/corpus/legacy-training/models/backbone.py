"""Encoders that return a list of feature maps from stride 2 to stride 32."""
import torch
import torch.nn as nn
from torch.hub import load_state_dict_from_url
from torchvision.models import resnet34

RESNET34_URL = "https://download.pytorch.org/models/resnet34-333f7ec4.pth"


class ResNetEncoder(nn.Module):
    """torchvision ResNet whose first convolution takes four bands."""

    def __init__(self, resnet, channels, bands=4):
        super().__init__()
        self.channels = channels
        self.stem = nn.Sequential(widen_stem(resnet.conv1, bands), resnet.bn1, resnet.relu)
        self.pool = resnet.maxpool
        self.stages = nn.ModuleList([resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4])

    def forward(self, x):
        x = self.stem(x)
        features = [x]
        x = self.pool(x)
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


class TimmEncoder(nn.Module):
    def __init__(self, name, pretrained, bands=4):
        super().__init__()
        import timm

        self.body = timm.create_model(name, features_only=True, pretrained=pretrained, in_chans=bands)
        self.channels = self.body.feature_info.channels()

    def forward(self, x):
        return self.body(x)


def widen_stem(conv, bands):
    """Copy the RGB filters and start the extra bands from their mean."""
    wide = nn.Conv2d(bands, conv.out_channels, conv.kernel_size, conv.stride, conv.padding, bias=False)
    with torch.no_grad():
        wide.weight[:, :3] = conv.weight
        wide.weight[:, 3:] = conv.weight.mean(dim=1, keepdim=True)
    return wide


def build_encoder(name, pretrained=True):
    if name == "resnet34":
        resnet = resnet34()
        if pretrained:
            resnet.load_state_dict(load_state_dict_from_url(RESNET34_URL, progress=False))
        return ResNetEncoder(resnet, [64, 64, 128, 256, 512])
    if name == "resnet50":
        resnet = torch.hub.load("facebookresearch/semi-supervised-ImageNet1K-models", "resnet50_ssl")
        return ResNetEncoder(resnet, [64, 256, 512, 1024, 2048])
    if name.startswith("efficientnet"):
        return TimmEncoder(name, pretrained)
    raise ValueError(f"unknown encoder {name!r}")
