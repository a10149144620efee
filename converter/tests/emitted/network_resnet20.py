"""NetworkResnet20: PyTorch form of a CNTK model.

Input   features  float32 [N, 3, 32, 32]
Output  z         float32 [N, 10]
"""

import math
from pathlib import Path

import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

# CNTK's time constants count samples, PyTorch's momentum minibatches of so many:
BN_SAMPLES = 64


def bn_momentum(time_constant: float) -> float:
    """The momentum for minibatches of BN_SAMPLES that does what the time constant did."""
    return 1 - math.exp(-BN_SAMPLES / time_constant)


class BasicBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels, momentum=bn_momentum(4096.0))
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels, momentum=bn_momentum(4096.0))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)) + x)
        return y


class NetworkResnet20(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16, momentum=bn_momentum(4096.0))
        self.layers1 = nn.Sequential(*[BasicBlock(16) for _ in range(3)])
        self.conv2 = nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(32, momentum=bn_momentum(4096.0))
        self.conv3 = nn.Conv2d(32, 32, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(32, momentum=bn_momentum(4096.0))
        self.conv4 = nn.Conv2d(16, 32, 1, stride=2, bias=False)
        self.bn4 = nn.BatchNorm2d(32, momentum=bn_momentum(4096.0))
        self.layers2 = nn.Sequential(*[BasicBlock(32) for _ in range(2)])
        self.conv5 = nn.Conv2d(32, 64, 1, stride=2, bias=False)
        self.bn5 = nn.BatchNorm2d(64, momentum=bn_momentum(4096.0))
        self.conv6 = nn.Conv2d(32, 64, 3, stride=2, padding=1, bias=False)
        self.bn6 = nn.BatchNorm2d(64, momentum=bn_momentum(4096.0))
        self.conv7 = nn.Conv2d(64, 64, 3, padding=1, bias=False)
        self.bn7 = nn.BatchNorm2d(64, momentum=bn_momentum(4096.0))
        self.layers3 = nn.Sequential(*[BasicBlock(64) for _ in range(2)])
        self.z = nn.Linear(64, 10)

    def forward(self, features: Tensor) -> Tensor:
        x: Tensor = F.relu(self.bn1(self.conv1(features)))
        x = self.layers1(x)
        y: Tensor = F.relu(self.bn2(self.conv2(x)))
        x = self.bn4(self.conv4(x))
        x = F.relu(self.bn3(self.conv3(y)) + x)
        x = self.layers2(x)
        y = self.bn5(self.conv5(x))
        x = F.relu(self.bn6(self.conv6(x)))
        x = F.relu(self.bn7(self.conv7(x)) + y)
        x = self.layers3(x).mean((2, 3))
        z: Tensor = self.z(x)
        return z


WEIGHTS = Path(__file__).with_name("model.safetensors")


def load(path: str | Path = WEIGHTS) -> NetworkResnet20:
    """The module with its weights, in eval mode."""
    model = NetworkResnet20()
    model.load_state_dict(load_file(path))
    return model.eval()
