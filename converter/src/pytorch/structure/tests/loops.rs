//! Rounds in loops over lists of layers, loops that fill lists, and stacks of layers that PyTorch holds in one.

use super::*;

#[test]
fn concatenations_go_on_from_earlier_ones() {
    let (mut net, x) = Net::new();
    let mut all = vec![x];
    let mut last = x;
    for i in 0..8 {
        let y = net.linear(4 + 4 * i, 4, last);
        all.push(y);
        last = net.body.compute(torch("cat", args![list(&all), 1]));
    }
    assert_eq!(net.recover(last), Vec::<String>::new());
    let looped = |item: &Item| matches!(item, Item::For(_, _, _, inner) if inner.len() == 3);
    assert!(net.body.items().iter().any(looped), "{:?}", net.body.items());
    assert_eq!(net.used(last).0, ["nn.ModuleList([nn.Linear(4 + 4 * i, 4) for i in range(8)])"]);
}

#[test]
fn sums_are_computed_once() {
    let (mut net, x) = Net::new();
    let mut all = vec![net.linear(4, 8, x)];
    for _ in 0..8 {
        let sum = all.iter().copied().reduce(|a, b| net.body.compute(of(a) + b)).expect("there are some");
        let y = net.linear(8, 8, sum);
        all.push(net.relu(y));
    }
    let last = all[8];
    net.recover(last);
    let mut sums = 0;
    net.body.each_needed(&[last], &mut |e| sums += usize::from(matches!(&**e, Expr::Binary(Binary::Plus, ..))));
    assert!(sums <= 2, "{:?}", net.body.items());
    assert_eq!(net.used(last).0.len(), 3);
}

#[test]
fn a_sum_may_have_the_last_result() {
    let (mut net, x) = Net::new();
    let mut y = net.linear(4, 8, x);
    let mut sum = None;
    for _ in 0..6 {
        let z = net.linear(8, 8, y);
        let z = net.relu(z);
        let (skip, w) = (net.linear(8, 8, z), net.linear(8, 8, z));
        y = net.body.compute(of(w) + y);
        sum = Some(sum.map_or(skip, |sum| net.body.compute(of(sum) + skip)));
    }
    let sum = net.body.compute(of(sum.expect("there is one")) + y);
    net.recover(sum);
    // Nothing but the loop calls layers of the rounds.
    let layers = |item: &Item| matches!(item, Item::Let(id) if net.body.code(*id).calls().layers > 0);
    let uses = net.body.uses(&[sum]);
    let needed = |item: &&Item| matches!(item, Item::Let(id) if uses.needs(*id));
    let outside = net.body.items().iter().filter(needed).filter(|item| layers(item)).count();
    assert_eq!((outside, net.body.expr(sum)), (1, &(Expr::local("total") + y)));
}

#[test]
fn outputs_of_every_round_are_collected() {
    let (mut net, x) = Net::new();
    let mut y = net.linear(4, 8, x);
    y = net.relu(y);
    let mut heads = Vec::new();
    for _ in 0..6 {
        let z = net.linear(8, 8, y);
        y = net.relu(z);
        heads.push(net.linear(8, 2, y));
    }
    assert_eq!(net.recover_all(&heads), Vec::<String>::new());
    let looped = |item: &Item| matches!(item, Item::For(variables, ..) if variables.split(", ").count() == 2);
    assert_eq!(net.body.items().iter().filter(|i| looped(i)).count(), 1, "{:?}", net.body.items());
    let parts = |item: &Item| matches!(item, Item::Unpack(ids, e) if *ids == heads && ***e == Expr::local("parts"));
    assert!(net.body.items().iter().any(parts), "{:?}", net.body.items());
}

#[test]
fn masks_ask_what_they_mask() {
    let (mut net, x) = Net::new();
    let lengths = net.body.atom(Expr::local("lengths"));
    let bias = |net: &mut Net| {
        net.states.push(State { kind: Kind::Parameter, ..State::number(ElemType::Float, &[8], 0.0) });
        net.body.atom(Expr::State(StateId(net.states.len() as u32 - 1)))
    };
    let mut asked = x;
    let mut y = x;
    for _ in 0..7 {
        let valid = net.body.compute(helper("valid_steps", args![asked, lengths]));
        let masked = net.body.compute(of(y).method("masked_fill", args![valid, 0]));
        let z = net.linear(8, 8, masked);
        let b = bias(&mut net);
        let sum = net.body.compute(of(z) + b);
        (asked, y) = (z, net.relu(sum));
    }
    assert_eq!(net.recover(y), Vec::<String>::new());
    let parameters = "nn.ParameterList([nn.Parameter(torch.zeros(8), requires_grad=False) for _ in range(7)])";
    let layers = "nn.ModuleList([nn.Linear(8, 8) for _ in range(7)])";
    let (mut made, keys) = net.used(y);
    made.sort();
    assert_eq!(made, [layers, parameters]);
    assert!(keys.contains(&"6".to_owned()) && keys.contains(&"6.weight".to_owned()), "{keys:?}");
}

#[test]
fn what_rounds_compute_besides_their_result_is_summed_up() {
    let (mut net, x) = Net::new();
    let mut y = net.linear(4, 8, x);
    let mut hidden = Vec::new();
    for _ in 0..5 {
        let z = net.linear(8, 8, y);
        let z = net.relu(z);
        hidden.push(z);
        let w = net.linear(8, 8, z);
        y = net.body.compute(of(y) + w);
    }
    let skips: Vec<ValueId> = hidden.into_iter().map(|z| net.linear(8, 2, z)).collect();
    let mut sum = skips[0];
    for skip in &skips[1..] {
        sum = net.body.compute(of(sum) + *skip);
    }
    assert_eq!(net.recover_all(&[y, sum]), Vec::<String>::new());
    let find = |item: &Item| match item {
        Item::For(variables, over, _, inner) => Some((variables.clone(), over.clone(), inner.len())),
        _ => None,
    };
    let (variables, over, inner) = net.body.items().iter().find_map(find).expect("a loop");
    assert_eq!(variables.split(", ").count(), 3);
    assert_eq!(constant(&over).matches("self.").count(), 3);
    assert_eq!(inner, 7);
    assert_eq!((net.body.expr(y), net.body.expr(sum)), (&Expr::local("y"), &Expr::local("total")));
}

/// Gated layers with delays and a residual but for the last one, whose skips are summed up.
fn wavenet(net: &mut Net, mut y: ValueId, delays: &[i64]) -> (Vec<ValueId>, ValueId) {
    let mut hidden = Vec::new();
    for (k, delay) in delays.iter().enumerate() {
        let delayed = net.body.compute(functional("pad", args![y, Expr::Tuple(vec![0.into(), (*delay).into()])]));
        let pair = net.body.compute(torch("cat", args![list(&[delayed, y]), 1]));
        let (f, g) = (net.linear(16, 8, pair), net.linear(16, 8, pair));
        let (f, g) =
            (net.body.compute(of(f).method("tanh", args![])), net.body.compute(of(g).method("sigmoid", args![])));
        hidden.push(net.body.compute(of(f) * g));
        if k + 1 < delays.len() {
            let w = net.linear(8, 8, hidden[k]);
            y = net.body.compute(of(y) + w);
        }
    }
    let skips: Vec<ValueId> = hidden.iter().map(|z| net.linear(8, 2, *z)).collect();
    let sum = skips.into_iter().reduce(|a, b| net.body.compute(of(a) + b)).expect("there are some");
    (hidden, sum)
}

#[test]
fn blocks_with_two_results_are_a_class() {
    let (mut net, x) = Net::new();
    let y = net.linear(4, 8, x);
    let (_, sum) = wavenet(&mut net, y, &[1, 2, 4, 1, 2, 4, 1]);
    let classes = net.recover(sum);
    assert_eq!(classes.len(), 1, "{classes:?}");
    for line in [
        "def __init__(self, size: int, residual: bool = False) -> None:",
        "if residual:",
        "def forward(self, x: Tensor, total: Tensor) -> tuple[Tensor, Tensor]:",
        "z = x if self.residual is None else x + self.residual(y)",
        "return z, total + self.layer3(y)",
    ] {
        assert!(classes[0].contains(line), "{line}: {}", classes[0]);
    }
    let (made, keys) = net.used(sum);
    let blocks = "nn.ModuleList([GatedBlock(2 ** (i % 3), i < 6) for i in range(7)])";
    assert_eq!(made, ["nn.Linear(4, 8)", blocks]);
    assert!(keys.contains(&"5.residual.weight".to_owned()) && !keys.contains(&"6.residual.weight".to_owned()));
    assert_eq!(keys.iter().filter(|k| k.ends_with(".weight")).count(), 7 * 4 - 1);
}

#[test]
fn what_else_is_read_of_a_last_round_leaves_it_as_it_is() {
    let (mut net, x) = Net::new();
    let y = net.linear(4, 8, x);
    let (hidden, sum) = wavenet(&mut net, y, &[1; 7]);
    // The last round is none of the blocks: an output reads what it computes inside.
    let outputs = [sum, hidden[6]];
    let classes = net.recover_all(&outputs);
    assert!(classes.iter().all(|text| !text.contains("residual")), "{classes:?}");
}

#[test]
fn what_rounds_compute_besides_their_result_is_collected() {
    let (mut net, x) = Net::new();
    let mut all = vec![net.linear(4, 8, x)];
    for _ in 0..5 {
        let y = net.linear(8, 8, all[all.len() - 1]);
        all.push(net.relu(y));
    }
    let joined = net.body.compute(torch("cat", args![list(&all), 1]));
    assert_eq!(net.recover(joined), Vec::<String>::new());
    let begins = |item: &Item| matches!(item, Item::Set(name, begin) if name == "parts" && matches!(&***begin, Expr::List(first) if first.len() == 1));
    assert!(net.body.items().iter().any(begins), "{:?}", net.body.items());
    assert_eq!(*net.body.expr(joined), torch("cat", args![Expr::local("parts"), 1]));
    assert_eq!(net.used(joined).0[1], "nn.ModuleList([nn.Linear(8, 8) for _ in range(5)])");
}

#[test]
fn rounds_that_others_read_stay_as_they_are() {
    let (mut net, x) = Net::new();
    let mut y = net.linear(4, 8, x);
    let mut third = y;
    for k in 0..5 {
        let z = net.linear(8, 8, y);
        let z = net.relu(z);
        y = net.body.compute(of(y) * of(z));
        third = if k == 2 { z } else { third };
    }
    let output = net.body.compute(of(y) + third);
    net.recover(output);
    assert!(!net.body.items().iter().any(|item| matches!(item, Item::For(..))), "{:?}", net.body.items());
}

#[test]
fn stages_of_equal_lengths_are_made_by_a_loop() {
    let (mut net, mut x) = Net::new();
    for sizes in [[8, 8], [8, 8], [8, 8], [8, 16], [16, 16], [16, 16], [16, 24], [24, 24], [24, 24]] {
        x = net.residual(sizes, sizes[0] != sizes[1], x);
    }
    assert_eq!(net.recover(x).len(), 1);
    assert_eq!(net.used(x).0, ["nn.Sequential()"]);
    let text = "        self.list = nn.Sequential()
        for in_features, features in ((8, 8), (8, 16), (16, 24)):
            self.list.append(ResidualBlock(in_features, features))
            self.list.extend([ResidualBlock(features, features) for _ in range(2)])
";
    assert_eq!(net.filled(), text);
}

#[test]
fn dropout_between_recurrent_layers_is_an_argument_of_theirs() {
    let (mut net, mut x) = Net::new();
    let layer = |net: &mut Net, inputs: usize, x: ValueId| {
        let lstm = State::module(nn("LSTM", args![inputs, 8usize, keyword("batch_first", true)]), None, "lstm");
        net.states.push(lstm.filled("weight_ih_l0", ElemType::Float, &[32, 8], 1.0));
        net.body.compute(Expr::layer(StateId(net.states.len() as u32 - 1), args![x]).at(0))
    };
    for k in 0..3 {
        x = layer(&mut net, if k == 0 { 6 } else { 8 }, x);
        net.states.push(State::module(nn("Dropout", args![Expr::Number("0.2".to_owned())]), None, "drop"));
        x = net.body.compute(Expr::layer(StateId(net.states.len() as u32 - 1), args![x]));
    }
    net.recover(x);
    let lstm = "nn.LSTM(6, 8, num_layers=3, batch_first=True, dropout=0.2)";
    assert_eq!(net.used(x).0, [lstm, "nn.Dropout(0.2)"]);
}
