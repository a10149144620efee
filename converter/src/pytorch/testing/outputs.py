def test_outputs() -> None:
    outputs, steps = reference("output."), reference("steps.")
    if not outputs:
        raise unittest.SkipTest("reference.safetensors holds no outputs")
    with torch.no_grad():
        made = run(load(), inputs())
    for i, expected in outputs.items():
        assert_same(made[int(i)], expected, steps.get(i))
