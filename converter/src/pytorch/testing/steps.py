def valid_steps(
    i: int, given: dict[str, Tensor], made: tuple[Tensor, ...]
) -> Tensor | None:
    """How far each sample of an output is valid, if not to its end."""
    place = STEPS.get(i)
    if isinstance(place, str):
        return given[place]
    return None if place is None else made[place]
