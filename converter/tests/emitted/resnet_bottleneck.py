"""ResnetBottleneck: PyTorch form of a CNTK model.

Input   features  float32 [N, 3, 32, 32]
Output  z         float32 [N, 6]
"""

import math
from pathlib import Path

import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

# CNTK's time constant counts samples, PyTorch's momentum minibatches, here of 64:
BN_MOMENTUM = 1 - math.exp(-64 / 60.0)


class Bottleneck(nn.Module):
    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels, momentum=BN_MOMENTUM)
        self.conv2 = nn.Conv2d(
            channels, channels, 3, stride=stride, padding=1, bias=False
        )
        self.bn2 = nn.BatchNorm2d(channels, momentum=BN_MOMENTUM)
        self.conv3 = nn.Conv2d(channels, 4 * channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * channels, momentum=BN_MOMENTUM)
        self.shortcut = nn.Sequential()
        if in_channels != 4 * channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, 4 * channels, 1, stride=stride, bias=False),
                nn.BatchNorm2d(4 * channels, momentum=BN_MOMENTUM),
            )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + self.shortcut(x))


class ResnetBottleneck(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(8, momentum=BN_MOMENTUM)
        self.layers = nn.Sequential(
            Bottleneck(8, 4), Bottleneck(16, 4), Bottleneck(16, 8, 2), Bottleneck(32, 8)
        )
        self.z = nn.Linear(32, 6)

    def forward(self, features: Tensor) -> Tensor:
        x: Tensor = F.relu(self.bn1(self.conv1(features)))
        x = self.layers(F.max_pool2d(x, 3, stride=2, padding=1)).mean((2, 3))
        z: Tensor = self.z(x)
        return z


WEIGHTS = Path(__file__).with_name("model.safetensors")


def load(path: str | Path = WEIGHTS) -> ResnetBottleneck:
    """The module with its weights, in eval mode."""
    model = ResnetBottleneck()
    model.load_state_dict(load_file(path))
    return model.eval()
