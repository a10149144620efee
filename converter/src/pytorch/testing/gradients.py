def test_gradients() -> None:
    """What is trained gets a gradient, and nothing else."""
    model = load()
    losses = [y.double().sum() for y in run(model, inputs()) if y.requires_grad]
    if losses:
        torch.autograd.backward(losses)
    for key, parameter in model.named_parameters():
        if key not in WITHOUT_GRADIENT:
            assert parameter.requires_grad == (parameter.grad is not None), key
