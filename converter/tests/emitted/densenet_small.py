"""DensenetSmall: PyTorch form of a CNTK model.

Input   features  float32 [N, 3, 16, 16]
Output            float32 [N, 10]
"""

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

# CNTK's time constant counts samples, PyTorch's momentum minibatches, here of 64:
BN_MOMENTUM = 1 - math.exp(-64 / 40.0)


class DenseLayer(nn.Module):
    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels, momentum=BN_MOMENTUM)
        self.conv1 = nn.Conv2d(in_channels, 4, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.conv1(F.relu(self.bn1(x)))], 1)


class DensenetSmall(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.layers1 = nn.Sequential(*[DenseLayer(8 + 4 * i) for i in range(3)])
        self.bn1 = nn.BatchNorm2d(20, momentum=BN_MOMENTUM)
        self.conv2 = nn.Conv2d(20, 10, 1, bias=False)
        self.layers2 = nn.Sequential(*[DenseLayer(10 + 4 * i) for i in range(3)])
        self.bn2 = nn.BatchNorm2d(22, momentum=BN_MOMENTUM)
        self.linear1 = nn.Linear(22, 10)

    def forward(self, features: Tensor) -> Tensor:
        x: Tensor = self.conv2(F.relu(self.bn1(self.layers1(self.conv1(features)))))
        x = F.relu(self.bn2(self.layers2(F.avg_pool2d(x, 2)))).mean((2, 3))
        x = self.linear1(x)
        return x


WEIGHTS = Path(__file__).with_name("model.safetensors")


def load(path: str | Path = WEIGHTS) -> DensenetSmall:
    """The module with its weights, in eval mode."""
    model = DensenetSmall()
    model.load_state_dict(load_file(path))
    return model.eval()
