def test_padding_does_not_matter() -> None:
    model, given = load(), inputs()
    padded = dict(given)
    for name, lengths in PADDED.items():
        value = padded[name]
        padded[name] = torch.cat([value, value[:, :MORE_STEPS]], 1)
        nothing = torch.nan if value.is_floating_point() else -1
        for n, length in enumerate(given[lengths].tolist()):
            padded[name][n, length:] = nothing
    with torch.no_grad():
        expected = run(model, given)
        made = run(model, padded)
    for i in range(len(SHAPES)):
        assert_same(made[i], expected[i], valid_steps(i, given, expected))
