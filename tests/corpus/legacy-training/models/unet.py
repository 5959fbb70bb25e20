import torch
import torch.nn as nn
import torch.nn.functional as F


class ConvBlock(nn.Sequential):
    def __init__(self, in_channels, out_channels):
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class DecoderBlock(nn.Module):
    def __init__(self, in_channels, skip_channels, out_channels):
        super().__init__()
        self.conv1 = ConvBlock(in_channels + skip_channels, out_channels)
        self.conv2 = ConvBlock(out_channels, out_channels)

    def forward(self, x, skip):
        x = F.upsample(x, size=skip.shape[2:], mode="bilinear", align_corners=False)
        return self.conv2(self.conv1(torch.cat([x, skip], dim=1)))


class UNet(nn.Module):
    """U-Net decoder on any encoder that has `channels` and returns one map per stride."""

    def __init__(self, encoder, num_classes, widths=(256, 128, 64, 32), dropout=0.1):
        super().__init__()
        self.encoder = encoder
        channels = list(encoder.channels)
        blocks = []
        current = channels[-1]
        for skip, width in zip(reversed(channels[:-1]), widths):
            blocks.append(DecoderBlock(current, skip, width))
            current = width
        self.decoder = nn.ModuleList(blocks)
        self.dropout = nn.Dropout2d(dropout)
        self.classifier = nn.Conv2d(current, num_classes, 1)
        self.apply(self._init_decoder)

    def _init_decoder(self, module):
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            nn.init.xavier_uniform(module.weight)
            nn.init.zeros_(module.bias)

    def forward(self, x):
        size = x.shape[2:]
        *skips, x = self.encoder(x)
        for block, skip in zip(self.decoder, reversed(skips)):
            x = block(x, skip)
        x = self.classifier(self.dropout(x))
        return F.interpolate(x, size=size, mode="bilinear", align_corners=False)
