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


class SrresnetDepthToSpace(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 9, padding=4, bias=False)
        self.prelu1 = nn.PReLU(8)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8, momentum=BN_MOMENTUM)
        self.prelu2 = nn.PReLU(8)
        self.conv3 = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(8, momentum=BN_MOMENTUM)
        self.conv4 = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(8, momentum=BN_MOMENTUM)
        self.prelu3 = nn.PReLU(8)
        self.conv5 = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.bn4 = nn.BatchNorm2d(8, momentum=BN_MOMENTUM)
        self.conv6 = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.bn5 = nn.BatchNorm2d(8, momentum=BN_MOMENTUM)
        self.conv7 = nn.Conv2d(8, 16, 3, padding=1)
        self.conv8 = nn.Conv2d(4, 3, 9, padding=4, bias=False)

    def forward(self, lowres: Tensor) -> Tensor:
        x: Tensor = self.prelu1(self.conv1(lowres / 255.0))
        y: Tensor = self.prelu2(self.bn1(self.conv2(x)))
        y = self.bn2(self.conv3(y)) + x
        z: Tensor = self.prelu3(self.bn3(self.conv4(y)))
        y = self.bn4(self.conv5(z)) + y
        x = self.bn5(self.conv6(y)) + x
        x = self.conv7(x).reshape(-1, 2, 2, 4, 12, 12)
        x = F.relu(x.permute(0, 3, 4, 1, 5, 2).reshape(-1, 4, 24, 24))
        x = self.conv8(x).tanh()
        return x


WEIGHTS = Path(__file__).with_name("model.safetensors")


def load(path: str | Path = WEIGHTS) -> SrresnetDepthToSpace:
    """The module with its weights, in eval mode."""
    model = SrresnetDepthToSpace()
    model.load_state_dict(load_file(path))
    return model.eval()
