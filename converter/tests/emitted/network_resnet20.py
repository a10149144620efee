"""NetworkResnet20: PyTorch form of a CNTK model.

Input   features  float32 [N, 3, 32, 32]
Output  z         float32 [N, 10]
"""

import math
from pathlib import Path

import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

# CNTK's time constant counts samples, PyTorch's momentum minibatches, here of 64:
BN_MOMENTUM = 1 - math.exp(-64 / 4096.0)


class BasicBlock(nn.Module):
    def __init__(self, in_channels: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(
            in_channels, channels, 3, stride=stride, padding=1, bias=False
        )
        self.bn1 = nn.BatchNorm2d(channels, momentum=BN_MOMENTUM)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels, momentum=BN_MOMENTUM)
        self.shortcut = nn.Sequential()
        if in_channels != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride=stride, bias=False),
                nn.BatchNorm2d(channels, momentum=BN_MOMENTUM),
            )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + self.shortcut(x))


class NetworkResnet20(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16, momentum=BN_MOMENTUM)
        self.layers = nn.Sequential()
        for in_channels, channels, stride in ((16, 16, 1), (16, 32, 2), (32, 64, 2)):
            self.layers.append(BasicBlock(in_channels, channels, stride))
            self.layers.extend([BasicBlock(channels, channels) for _ in range(2)])
        self.z = nn.Linear(64, 10)

    def forward(self, features: Tensor) -> Tensor:
        x: Tensor = self.layers(F.relu(self.bn1(self.conv1(features)))).mean((2, 3))
        z: Tensor = self.z(x)
        return z


WEIGHTS = Path(__file__).with_name("model.safetensors")


def load(path: str | Path = WEIGHTS) -> NetworkResnet20:
    """The module with its weights, in eval mode."""
    model = NetworkResnet20()
    model.load_state_dict(load_file(path))
    return model.eval()
