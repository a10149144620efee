def test_samples_do_not_depend_on_each_other() -> None:
    model, given = load(), inputs()
    with torch.no_grad():
        together = run(model, given)
        for n in range(len(given[BATCHED[0]])):
            one = {k: v[n : n + 1] if k in BATCHED else v for k, v in given.items()}
            alone = run(model, one)
            for i, sizes in enumerate(SHAPES):
                expected = together[i][n : n + 1] if sizes[:1] == ["N"] else together[i]
                assert_same(alone[i], expected, valid_steps(i, one, alone))
