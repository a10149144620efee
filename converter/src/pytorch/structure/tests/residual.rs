use super::*;

impl Net {
    /// `x + conv(f(norm(conv(norm(x)))))`
    fn normalized(&mut self, function: &'static str, x: ValueId) -> ValueId {
        let conv = || nn("Conv2d", args![8, 8, 3, keyword("padding", 1)]);
        let y = self.layer(nn("BatchNorm2d", args![8]), x);
        let y = self.layer(conv(), y);
        let y = self.layer(nn("BatchNorm2d", args![8]), y);
        let y = self.body.compute(of(y).method(function, args![]));
        let y = self.layer(conv(), y);
        self.body.compute(of(x) + y)
    }
}

#[test]
fn a_normalized_residual_block_is_a_class_even_if_it_is_alone() {
    let (mut net, x) = Net::new();
    let y = net.normalized("tanh", x);
    let z = net.linear(8, 4, y);
    let blocks = net.recover(z);
    assert!(blocks[0].starts_with("class PreActBlock(nn.Module):"), "{blocks:?}");
    assert_eq!(net.used(z).0, ["PreActBlock()", "nn.Linear(8, 4)"]);
}

#[test]
fn blocks_that_differ_are_classes_as_long_as_the_file_stays_short() {
    let (mut net, mut x) = Net::new();
    for function in ["tanh", "sin", "cos", "exp", "abs", "log"] {
        x = net.normalized(function, x);
    }
    let blocks = net.recover(x);
    assert!(!blocks.is_empty() && blocks.len() < 6, "{blocks:?}");
}

#[test]
fn blocks_inside_of_a_larger_one_are_found() {
    let (mut net, x) = Net::new();
    let first = net.linear(8, 8, x);
    let mut y = first;
    for _ in 0..3 {
        y = net.normalized("tanh", y);
    }
    let y = net.linear(8, 8, y);
    let z = net.body.compute(of(first) + y);
    assert_eq!(net.recover(z).len(), 1);
    let made = net.used(z).0;
    assert!(made.contains(&"nn.Sequential(*[PreActBlock() for _ in range(3)])".to_owned()), "{made:?}");
}

#[test]
fn a_block_without_normalization_that_is_alone_is_none() {
    let (mut net, x) = Net::new();
    let y = net.residual([8, 8], false, x);
    assert!(net.recover(y).is_empty());
}
