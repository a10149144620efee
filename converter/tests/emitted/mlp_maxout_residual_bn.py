"""MlpMaxoutResidualBn: PyTorch form of a CNTK model.

Input   row  float32 [N, 1, 8]
Output       float32 [N, 4]
"""

import math
from pathlib import Path

import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

# CNTK's time constant counts samples, PyTorch's momentum minibatches, here of 64:
BN_MOMENTUM = 1 - math.exp(-64 / 100.0)


class MlpMaxoutResidualBn(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear1 = nn.Linear(8, 16)
        self.linear2 = nn.Linear(8, 8)
        self.bn1 = nn.BatchNorm1d(8, momentum=BN_MOMENTUM)
        self.linear3 = nn.Linear(8, 4)

    def forward(self, row: Tensor) -> Tensor:
        x: Tensor = self.linear1(row.flatten(1)).reshape(-1, 8, 2).amax(2)
        x = F.relu(self.bn1(self.linear2(x)) + x)
        x = self.linear3(x)
        y: Tensor = x.amax(1, keepdim=True)
        z: Tensor = (x - y).exp().sum(1, keepdim=True)
        x = x - y - z.clamp(min=1.10037215e-37).log()
        return x


WEIGHTS = Path(__file__).with_name("model.safetensors")


def load(path: str | Path = WEIGHTS) -> MlpMaxoutResidualBn:
    """The module with its weights, in eval mode."""
    model = MlpMaxoutResidualBn()
    model.load_state_dict(load_file(path))
    return model.eval()
