//! Layers with their own rules, random numbers, and what lies between static and dynamic axes.

use super::*;

#[test]
fn layers() {
    let random = &mut Random(14);
    for _ in 0..ROUNDS {
        let x = random.shape(0, 3);
        let spatial = random.flag();
        let elements = if spatial { *x.first().unwrap_or(&1) } else { x.iter().product() };
        let (odd, wrong) = (random.below(5) as usize, random.below(3) == 0);
        let mut operands = vec![x.clone()];
        for i in 1..6 {
            operands.push(vec![if i == odd && wrong { elements + 1 } else { elements }]);
        }
        let attributes = [
            ("spatial", flag(spatial)),
            ("epsilon", double(1e-5)),
            ("normalizationTimeConstant", double(0.0)),
            ("blendTimeConstant", double(0.0)),
            ("useCuDNNEngine", flag(false)),
        ];
        // The last counts what was seen: one number.
        let counter = random.pick(&[&[][..], &[1], &[1, 1], &[2]]);
        operands[5] = counter.to_vec();
        let expected = if wrong && odd > 0 || counter == [1, 1] || counter == [2] { Err("type.shape") } else { Ok(x) };
        let rows: Vec<Row> = operands.iter().map(|dims| known(dims)).collect();
        assert_eq!(infer(40, &rows, &attributes).map(|outputs| outputs[0].clone()), expected.map(|x| known(&x)));

        let (hidden, layers, both) = (random.between(1, 3) as u64, random.between(1, 3) as u64, random.flag());
        let (name, gates) = random.pick(&[("lstm", 4), ("gru", 3), ("rnnReLU", 1), ("rnnTanh", 1)]);
        let width = random.between(1, 4) as u64;
        let mut weights = 0;
        for layer in 0..layers {
            for _ in 0..if both { 2 } else { 1 } {
                let input = if layer == 0 { width } else { hidden * if both { 2 } else { 1 } };
                weights += gates * (input * hidden + hidden * hidden + 2 * hidden);
            }
        }
        let wrong = random.below(3) == 0;
        let attributes = [
            ("hiddenSize", size(hidden)),
            ("numLayers", size(layers)),
            ("bidirectional", flag(both)),
            ("recurrentOp", text(name)),
        ];
        let result = hidden * if both { 2 } else { 1 };
        let expected = if wrong { Err("type.rnn-parameters") } else { Ok(vec![known(&[result])]) };
        let of = |x: &[u64]| {
            let operands = [sequence_input("", "s", x), parameter("", &[weights + u64::from(wrong)])];
            infer_records(49, &operands, &attributes)
        };
        assert_eq!(of(&[width]), expected, "{name}");
        assert_eq!(of(&[width, 1]), Err("type.shape"));
    }
}

#[test]
fn random_numbers() {
    let random = &mut Random(15);
    for _ in 0..20 {
        let x = random.shape(0, 3);
        let file = reversed(&x);
        let distribution =
            [("randomDistributionType", text("normal")), ("randomDistributionArgs", list(&[double(0.0), double(1.0)]))];
        check(random, 76, std::slice::from_ref(&x), &distribution, &Ok(x.clone()));
        let own = [&distribution[..], &[("newShape", shape(&file)), ("newDataType", int(1))]].concat();
        assert_eq!(infer(76, &[], &own).unwrap()[0], known(&x));
        assert_eq!(infer(76, &[], &distribution), Err("attribute.range"));
        let zero = [&distribution[..], &[("newShape", shape(&[0])), ("newDataType", int(1))]].concat();
        assert_eq!(infer(76, &[], &zero), Err("type.dimension-range"));
        let count = random.below(4);
        let sample = [("numSamples", size(count)), ("allowDuplicates", flag(true))];
        let expected = |dims: &[u64]| if count == 0 { Err("attribute.range") } else { Ok(dims.to_vec()) };
        let classes = [vec![random.between(1, 5) as u64]];
        check(random, 45, &classes, &sample, &expected(&[count, classes[0][0]]));
        check(random, 46, &classes, &sample, &expected(&classes[0]));
        let custom = [("customOp", text("op")), ("newDataType", int(1)), ("outputShape", shape(&file))];
        check(random, 93, &[vec![2]], &custom, &Ok(x));
    }
}

#[test]
fn between_static_and_dynamic_axes() {
    let sequence = |dims: &[u64]| sequence_input("", "s", dims);
    let of = |op, operands: &[Record], attributes: &[(&str, Value)]| {
        infer_records(op, operands, attributes).map(|mut outputs| outputs.swap_remove(0))
    };
    let unpack = |suppress| {
        let attributes =
            [("sequenceUnpackPaddingValue", double(0.0)), ("sequenceUnpackSuppressMaskOutput", flag(suppress))];
        infer_records(72, &[sequence(&[3, 2])], &attributes).unwrap()
    };
    let unpacked = vec![None, Some(2), Some(3)];
    assert_eq!(unpack(true), [unpacked.clone()].as_slice());
    assert_eq!(unpack(false), [unpacked, vec![None]].as_slice());
    assert_eq!(of(79, &[input("", &[3])], &[]), Ok(vec![None, Some(3)]));
    let pack = |op, operand: Record, like: Option<Record>| {
        let operands: Vec<Record> = std::iter::once(operand).chain(like).collect();
        of(op, &operands, &[])
    };
    assert_eq!(pack(70, input("", &[3, 2]), None), Ok(vec![Some(3)]));
    assert_eq!(pack(70, input("", &[]), None), Err("type.shape"));
    assert_eq!(pack(71, input("", &[3, 2]), Some(sequence(&[1]))), Ok(vec![Some(3)]));
    assert_eq!(pack(80, parameter("", &[3, 2]), None), Ok(vec![Some(3)]));
    assert_eq!(of(13, &[sequence(&[1])], &[]), Ok(vec![]));
    assert_eq!(of(13, &[sequence(&[2])], &[]), Err("type.shape"));
    assert_eq!(of(18, &[sequence(&[2])], &[]), Ok(vec![]));
    for (number, expected) in [(3.0, Ok(vec![Some(4)])), (1.0, Ok(vec![Some(2)])), (0.0, Err("attribute.range"))] {
        let vectors = || [input("", &[4]), input("", &[4]), constant("", &[], &[1.0])];
        let operands = [&vectors()[..], &[constant("", &[], &[number])]].concat();
        assert_eq!(of(67, &operands, &[]), expected);
        let operands = [&vectors()[..], &[input("", &[])]].concat();
        assert_eq!(of(67, &operands, &[]), Err("type.shape"));
    }
    let target = || parameter("", &[3, 2]);
    assert_eq!(of(73, &[target(), parameter("", &[3, 2])], &[]), Ok(known(&[2, 3])));
    assert_eq!(of(73, &[target(), parameter("", &[3, 1])], &[]), Err("type.shape"));
    assert_eq!(of(73, &[target(), parameter("", &[3, 2, 1])], &[]), Err("type.shape"));
}
