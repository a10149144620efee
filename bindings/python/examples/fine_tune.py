"""Loads a CNTK model and trains it on: fine_tune.py MODEL."""

from __future__ import annotations

import sys
from collections.abc import Iterable

import torch

import cntk2onnx


def fine_tune(path: str, batches: Iterable[tuple[torch.Tensor, torch.Tensor]], rate: float = 1e-3) -> torch.nn.Module:
    """Trains the model as a classifier; ``batches`` gives inputs and classes."""
    net = cntk2onnx.load(path).to_torch().train()
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=rate)
    for inputs, classes in batches:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(inputs), classes)
        loss.backward()
        optimizer.step()
    return net.eval()


def made_up(path: str, batches: int = 3, size: int = 4) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Batches of random numbers in the shape of the model's first input, and random classes."""
    model = cntk2onnx.load(path)
    (features, *_), (scores, *_) = model.inputs, model.outputs
    classes = scores.shape[-1]
    return [(torch.rand(size, *features.shape), torch.randint(classes, (size,))) for _ in range(batches)]


if __name__ == "__main__":
    print(fine_tune(sys.argv[1], made_up(sys.argv[1])))
