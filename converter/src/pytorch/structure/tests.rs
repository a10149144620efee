use super::*;
use crate::pytorch::python::body::Item;
use crate::pytorch::python::code::Code;
use crate::pytorch::python::expr::{Binary, Expr, StateId, args, functional, helper, keyword, list, nn, of, torch};
use crate::pytorch::python::print::constant;
use crate::pytorch::python::wrap::Lines;
use crate::pytorch::state::Kind;
use crate::weights::ElemType;

mod loops;
mod residual;

/// A network in the making, over one argument `x`.
struct Net {
    body: Body,
    states: Vec<State>,
    globals: Names,
    locals: Names,
    /// Loops that fill lists.
    fillings: Vec<Filling>,
}

impl Net {
    fn new() -> (Self, ValueId) {
        let mut net = Self {
            body: Body::new(),
            states: Vec::new(),
            globals: Names::of_variables(),
            locals: Names::of_variables(),
            fillings: Vec::new(),
        };
        let x = net.body.atom(Expr::local("x"));
        (net, x)
    }

    fn module(&mut self, constructor: Expr) -> StateId {
        let mut state = State::module(constructor, None, "layer").filled("weight", ElemType::Float, &[1], 1.0);
        state.tensors[0].trainable = true;
        self.states.push(state);
        StateId(self.states.len() as u32 - 1)
    }

    fn layer(&mut self, constructor: Expr, x: ValueId) -> ValueId {
        let state = self.module(constructor);
        self.body.compute(Expr::layer(state, args![x]))
    }

    fn linear(&mut self, inputs: usize, outputs: usize, x: ValueId) -> ValueId {
        self.layer(nn("Linear", args![inputs, outputs]), x)
    }

    fn relu(&mut self, x: ValueId) -> ValueId {
        self.body.compute(functional("relu", args![x]))
    }

    /// `linear(relu(linear(x)))` and what it is added to.
    fn residual(&mut self, sizes: [usize; 2], projects: bool, x: ValueId) -> ValueId {
        let y = self.linear(sizes[0], sizes[1], x);
        let y = self.relu(y);
        let y = self.linear(sizes[1], sizes[1], y);
        let x =
            if projects { self.layer(nn("Linear", args![sizes[0], sizes[1], keyword("bias", false)]), x) } else { x };
        self.body.compute(of(y) + x)
    }

    fn recover(&mut self, output: ValueId) -> Vec<String> {
        self.recover_all(&[output])
    }

    fn recover_all(&mut self, outputs: &[ValueId]) -> Vec<String> {
        let recovered = recover(Network {
            body: &mut self.body,
            states: &mut self.states,
            globals: &mut self.globals,
            locals: &mut self.locals,
            arguments: &["x".to_owned()],
            lengths: &["lengths".to_owned()],
            outputs,
            label: &|_| Some("res_unit".to_owned()),
        });
        self.fillings = recovered.fillings;
        recovered.blocks.iter().map(Block::text).collect()
    }

    /// The text of the loops that fill lists.
    fn filled(&self) -> String {
        let mut lines = Lines::default();
        self.fillings.iter().for_each(|f| f.write(&|_| "list".to_owned(), &mut lines));
        lines.finish()
    }

    /// What makes the states that are used, and the keys of what they hold.
    fn used(&self, output: ValueId) -> (Vec<String>, Vec<String>) {
        let used = self.body.states(&[output]);
        let states = used.iter().map(|s| &self.states[s.0 as usize]);
        let made = states.clone().filter_map(|s| match &s.kind {
            Kind::Module(e) | Kind::Blocks(e) | Kind::List(e, _) => Some(constant(e)),
            _ => None,
        });
        (made.collect(), states.flat_map(|s| s.tensors.iter().map(|t| t.suffix.clone())).collect())
    }

    /// How long everything is, written value by value.
    fn length(&self, output: ValueId) -> usize {
        let mut length = 0;
        self.body.each_needed(&[output], &mut |e| length += 2 + constant(e).len());
        let used = self.body.states(&[output]);
        length + self.used(output).0.iter().map(String::len).sum::<usize>() + 10 * used.len()
    }
}

#[test]
fn a_projection_that_some_blocks_have_is_an_argument() {
    let (mut net, mut x) = Net::new();
    for sizes in [[8, 8], [8, 8], [8, 16], [16, 16], [16, 16]] {
        x = net.residual(sizes, sizes[0] != sizes[1], x);
    }
    let blocks = net.recover(x);
    assert_eq!(blocks.len(), 1, "{blocks:?}");
    let absent = "        self.shortcut = nn.Sequential()\n        if in_features != features:\n";
    assert!(blocks[0].contains(absent), "{}", blocks[0]);
    assert!(blocks[0].contains("y = y + self.shortcut(x)\n"), "{}", blocks[0]);
    let keys = net.used(x).1;
    let table = "        sizes = [(8, 8)] * 2 + [(8, 16)] + [(16, 16)] * 2
        self.list = nn.Sequential(*[ResidualBlock(n, m) for n, m in sizes])
";
    assert_eq!(net.filled(), table);
    assert_eq!(keys.len(), 11);
    assert!(
        keys.contains(&"2.shortcut.0.weight".to_owned()) && !keys.contains(&"1.shortcut.0.weight".to_owned()),
        "{keys:?}"
    );
}

#[test]
fn a_projection_without_a_counterpart_stays_as_it_is() {
    let (mut net, x) = Net::new();
    let y = net.residual([8, 16], true, x);
    let before = net.body.values[y.0 as usize].expr.clone();
    assert_eq!(net.recover(y), Vec::<String>::new());
    assert_eq!(net.body.values[y.0 as usize].expr, before);
    // One with and one without are too few for a class, so neither changes.
    let (mut net, x) = Net::new();
    let y = net.linear(4, 8, x);
    let z = net.body.compute(of(y) + x);
    let w = net.linear(8, 8, z);
    let v = net.linear(8, 8, z);
    let v = net.body.compute(of(w) + v);
    let before: Vec<Code> = net.body.values.iter().map(|v| v.expr.clone()).collect();
    assert_eq!(net.recover(v), Vec::<String>::new());
    assert!(net.body.values.iter().map(|v| &v.expr).eq(&before));
}

#[test]
fn shared_weights_are_not_held_twice() {
    let (mut net, mut x) = Net::new();
    let shared = net.module(nn("Linear", args![8usize, 8usize]));
    for _ in 0..6 {
        let y = net.body.compute(Expr::layer(shared, args![x]));
        let y = net.relu(y);
        x = net.body.compute(of(y) + x);
    }
    net.recover(x);
    assert_eq!(net.used(x).1, ["weight"]);
}

#[test]
fn units_of_two_where_they_take_fewer_lines() {
    let (mut net, mut x) = Net::new();
    for _ in 0..6 {
        x = net.linear(8, 32, x);
        x = net.relu(x);
        x = net.layer(nn("Linear", args![32usize, 8usize, keyword("bias", false)]), x);
        x = net.relu(x);
    }
    let blocks = net.recover(x);
    assert_eq!(blocks.len(), 1, "{blocks:?}");
    assert!(blocks[0].contains("nn.Linear(8, 32)"), "{}", blocks[0]);
    assert_eq!(net.used(x).0.len(), 1);
}

/// However a network is made, what is written for it is at most twice as long as when every value is written by itself.
#[test]
fn what_is_written_is_bounded() {
    let mut seed = 7u64;
    let mut random = |n: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % n
    };
    for round in 0..60 {
        let (mut net, x) = Net::new();
        let mut values = vec![x];
        for _ in 0..(20 + random(120)) {
            let near = values.len() - 1 - random(values.len().min(1 + round % 5) as u64) as usize;
            let (a, b) = (values[near], values[values.len() - 1]);
            values.push(match random(6) {
                0 => net.relu(b),
                1 => net.body.compute(of(a) + b),
                2 => net.residual([8, 8 << random(2)], random(2) == 0, a),
                3 => net.body.compute(Expr::binary(Binary::Times, a, b)),
                4 => net.body.compute(torch("cat", args![list(&values[near.saturating_sub(2)..]), 1])),
                _ => net.linear(1 + random(9) as usize, 1 + random(3) as usize, a),
            });
        }
        let output = values[values.len() - 1];
        let flat = net.length(output);
        let blocks: usize = net.recover(output).iter().map(String::len).sum();
        let length = net.length(output) + blocks;
        assert!(length <= 2 * flat + 400, "round {round}: {length} instead of {flat}");
    }
}

#[test]
fn what_is_applied_again_with_the_same_weights_is_a_loop() {
    let (mut net, x) = Net::new();
    let shared = net.module(nn("Linear", args![8usize, 8usize]));
    let start = net.linear(4, 8, x);
    let mut y = start;
    for _ in 0..5 {
        let z = net.body.compute(Expr::layer(shared, args![y]));
        let z = net.relu(z);
        y = net.body.compute(of(z) + y);
    }
    let output = net.linear(8, 2, y);
    assert_eq!(net.recover(output), Vec::<String>::new());
    let loops =
        |item: &Item| matches!(item, Item::For(_, over, _, inner) if constant(over) == "range(5)" && inner.len() == 4);
    assert_eq!(net.body.items().iter().filter(|item| loops(item)).count(), 1, "{:?}", net.body.items());
    assert_eq!(*net.body.expr(y), Expr::local("y"));
    assert_eq!(net.used(output).1.len(), 3);
}

#[test]
fn the_first_block_reads_shapes_as_the_others_do() {
    let (mut net, x) = Net::new();
    let mut y = x;
    for _ in 0..9 {
        let z = net.linear(8, 8, y);
        let z = net.relu(z);
        let rows = of(x).size(0);
        let z = net.body.compute(of(z).method("expand", args![rows, -1]));
        y = net.body.compute(of(z) + y);
    }
    let blocks = net.recover(y);
    assert_eq!(blocks.len(), 1, "{blocks:?}");
    assert!(blocks[0].contains("def forward(self, x: Tensor, x_2: Tensor) -> Tensor:"), "{}", blocks[0]);
    assert_eq!(net.used(y).0, ["nn.ModuleList([ResidualBlock() for _ in range(9)])"]);
}

#[test]
fn what_the_first_block_reads_of_the_input_twice_is_told_apart() {
    let (mut net, x) = Net::new();
    let mut y = x;
    for _ in 0..9 {
        let z = net.linear(8, 8, y);
        let rows = of(x).size(0);
        let z = net.body.compute(of(z).method("expand", args![rows, -1]));
        y = net.relu(z);
    }
    let blocks = net.recover(y);
    assert_eq!(blocks.len(), 1, "{blocks:?}");
    assert!(blocks[0].contains("self.layer1(x)"), "{}", blocks[0]);
}

#[test]
fn branches_repeat_what_the_trunk_has() {
    let (mut net, x) = Net::new();
    let chain = |net: &mut Net, from: ValueId, first: usize| {
        let mut y = from;
        for i in 0..4 {
            y = net.linear(if i == 0 { first } else { 8 }, 8, y);
            y = net.relu(y);
        }
        y
    };
    let trunk = chain(&mut net, x, 4);
    let one = chain(&mut net, trunk, 8);
    let two = chain(&mut net, trunk, 8);
    let output = net.body.compute(Expr::binary(Binary::MatMul, one, two));
    let blocks = net.recover(output);
    assert_eq!(blocks.len(), 1, "{blocks:?}");
    let run = "nn.Sequential(*[linear(8) for _ in range(4)])";
    let trunk = "nn.Sequential(linear(4), *[linear(8) for _ in range(3)])";
    assert_eq!(net.used(output).0, [trunk, run, run]);
}

#[test]
fn levels_inside_of_levels_have_the_same_blocks() {
    let (mut net, x) = Net::new();
    let double = |net: &mut Net, y: ValueId| {
        let y = net.linear(8, 8, y);
        let y = net.relu(y);
        let y = net.linear(8, 8, y);
        net.relu(y)
    };
    let mut y = x;
    let mut skips = Vec::new();
    for _ in 0..4 {
        y = double(&mut net, y);
        skips.push(y);
        y = net.body.compute(functional("max_pool1d", args![y, 2]));
    }
    y = double(&mut net, y);
    while let Some(skip) = skips.pop() {
        y = net.body.compute(Expr::binary(Binary::Times, skip, y));
        y = double(&mut net, y);
    }
    let blocks = net.recover(y);
    assert_eq!(blocks.len(), 1, "{blocks:?}");
    assert_eq!(net.used(y).0, vec!["nn.Sequential(*[linear() for _ in range(2)])"; 9]);
}

#[test]
fn equal_branches_are_called_from_a_list() {
    let branch = |net: &mut Net, x: ValueId| {
        let y = net.linear(8, 4, x);
        let y = net.relu(y);
        net.linear(4, 8, y)
    };
    for sums in [false, true] {
        let (mut net, x) = Net::new();
        let x = net.linear(3, 8, x);
        let branches: Vec<ValueId> = (0..6).map(|_| branch(&mut net, x)).collect();
        let joined = if sums {
            branches[1..].iter().fold(branches[0], |sum, v| net.body.compute(of(sum) + *v))
        } else {
            net.body.compute(torch("cat", args![list(&branches), 1]))
        };
        let blocks = net.recover(joined);
        assert_eq!(blocks.len(), 1, "{blocks:?}");
        let (made, keys) = net.used(joined);
        assert_eq!(made, ["nn.Linear(3, 8)", "nn.ModuleList([linear_relu_linear() for _ in range(6)])"]);
        assert_eq!((keys.len(), &*keys[12]), (13, "5.2.weight"));
        let text = constant(&net.body.values[joined.0 as usize].expr);
        let wanted = if sums { "torch.stack([" } else { "torch.cat([" };
        assert!(text.starts_with(wanted) && text.contains("branch("), "{text}");
    }
}

#[test]
fn outputs_of_equal_branches_are_unpacked() {
    let (mut net, x) = Net::new();
    let x = net.linear(3, 8, x);
    let heads: Vec<ValueId> = (0..6)
        .map(|_| {
            let y = net.linear(8, 4, x);
            let y = net.relu(y);
            net.linear(4, 2, y)
        })
        .collect();
    assert_eq!(net.recover_all(&heads).len(), 1);
    let unpacked = |item: &Item| matches!(item, Item::Unpack(ids, _) if *ids == heads);
    assert_eq!(net.body.items().iter().filter(|item| unpacked(item)).count(), 1, "{:?}", net.body.items());
}

#[test]
fn what_is_added_to_itself_is_no_branch() {
    let (mut net, x) = Net::new();
    let mut y = x;
    for _ in 0..9 {
        y = net.linear(8, 8, y);
        y = net.relu(y);
    }
    let sum = net.body.compute(of(y) + y);
    net.recover(sum);
    assert_eq!(*net.body.expr(sum), of(y) + y);
}

#[test]
fn blocks_that_hold_whole_units_name_the_class() {
    for whole in [true, false] {
        let (mut net, mut x) = Net::new();
        for i in 0..6 {
            let before = net.states.len();
            let [a, b, c, d] = [(); 4].map(|()| net.linear(8, 8, x));
            let (left, right) = (net.body.compute(of(a) * of(b)), net.body.compute(of(c) * of(d)));
            x = net.body.compute(of(left) + right);
            // Around every layer is a block of its own, and around all of a unit, or only the first, is another.
            for (k, state) in net.states[before..].iter_mut().enumerate() {
                state.within = vec![FunctionId::made_up(100 + 2 * i + k as u32)];
                state.within.extend((whole || k == 0).then_some(FunctionId::made_up(i)));
            }
        }
        let blocks = net.recover(x);
        let class = if whole { "class ResUnit(nn.Module):" } else { "class ResidualBlock(nn.Module):" };
        assert!(blocks[0].starts_with(class), "{}", blocks[0]);
    }
}
