"""SrresnetDepthToSpace: PyTorch form of a CNTK model.

Input   lowres  float32 [N, 3, 12, 12]
Output          float32 [N, 3, 24, 24]
"""

import math
from pathlib import Path

import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

# CNTK's time constant counts samples, PyTorch's momentum minibatches, here of 64:
BN_MOMENTUM = 1 - math.exp(-64 / 20.0)


class BasicBlock(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8, momentum=BN_MOMENTUM)
        self.prelu1 = nn.PReLU(8)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(8, momentum=BN_MOMENTUM)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.prelu1(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y)) + x
        return y


class SrresnetDepthToSpace(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 9, padding=4, bias=False)
        self.prelu1 = nn.PReLU(8)
        self.layers = nn.Sequential(*[BasicBlock() for _ in range(2)])
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8, momentum=BN_MOMENTUM)
        self.conv3 = nn.Conv2d(8, 16, 3, padding=1)
        self.conv4 = nn.Conv2d(4, 3, 9, padding=4, bias=False)

    def forward(self, lowres: Tensor) -> Tensor:
        x: Tensor = self.prelu1(self.conv1(lowres / 255.0))
        x = self.conv3(self.bn1(self.conv2(self.layers(x))) + x)
        x = x.reshape(-1, 2, 2, 4, 12, 12).permute(0, 3, 4, 1, 5, 2)
        x = self.conv4(F.relu(x.reshape(-1, 4, 24, 24))).tanh()
        return x


WEIGHTS = Path(__file__).with_name("model.safetensors")


def load(path: str | Path = WEIGHTS) -> SrresnetDepthToSpace:
    """The module with its weights, in eval mode."""
    model = SrresnetDepthToSpace()
    model.load_state_dict(load_file(path))
    return model.eval()
