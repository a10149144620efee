//! Turns nodes into functions: most become one primitive, the others a composition of several.

use super::emit::{Emitter, plain};
use super::relations::Child;
use super::said::{Composition, Said};
use crate::dictionary::Dictionary;
use crate::error::{Error, ErrorKind};
use crate::model::{Attributes, Axis, Block, DataType, ElementStorage, Foreign, FunctionKind, Shape};
use crate::ops::Operator;
use crate::ops::attributes::{
    BatchNormalization, Convolution, Delay, EyeLike, ReduceElements, Reduction, Reshape, Splice, Times,
};

/// Adds the functions of the current node.
pub(super) fn node(e: &mut Emitter<'_, '_>) -> Result<(), Error> {
    let graph = e.graph;
    let Some(node) = graph.nodes.get(e.node) else { return Ok(()) };
    match &node.said {
        Said::Input(_) | Said::Parameter(_) | Said::Axis => {}
        Said::Plain(op) => e.finish_as(plain(*op), e.all_inputs()),
        Said::Typed(operator) => e.finish((**operator).clone(), e.all_inputs()),
        Said::Foreign(foreign) => refuse(e, *foreign),
        Said::Statistic(_) => {
            let why = "the statistics of the training data were never computed";
            refuse(e, Foreign { name: node.op, why, criterion: false });
        }
        Said::Composed(composition) => return compose(e, composition),
    }
    Ok(())
}

fn refuse(e: &mut Emitter<'_, '_>, foreign: Foreign) {
    let nothing = Attributes::Record(Dictionary::default());
    e.finish_as((FunctionKind::Foreign(foreign), nothing), e.all_inputs());
}

fn compose(e: &mut Emitter<'_, '_>, composition: &Composition) -> Result<(), Error> {
    match composition {
        Composition::Delay { forward, offset, initial } => delay(e, *forward, *offset, *initial),
        Composition::BatchNormalization { attributes, inverse, counted } => {
            batch_normalization(e, attributes, *inverse, *counted)
        }
        Composition::Convolution { attributes, kernel, maps, flat } => convolution(e, attributes, kernel, maps, *flat),
        Composition::Times(times) => product(e, times),
        Composition::Normalize => normalize(e),
        Composition::Denormalize => denormalize(e),
        Composition::LookupTable => lookup_table(e),
        Composition::RowRepeat(count) => row_repeat(e, *count),
        Composition::KhatriRao => khatri_rao(e),
        Composition::Diagonal => diagonal(e),
        Composition::L1 => l1(e),
        Composition::L2 => l2(e),
        Composition::CrossEntropy => cross_entropy(e),
        // Adds nothing: a reader of a multiplexer gets a reference to the output that it selects.
        Composition::Multiplexer => e.inputs::<1>().map(|_| ()),
    }
}

/// A delay. Without a second child, the stored number is the initial state. A delay by no step passes on its operand.
fn delay(e: &mut Emitter<'_, '_>, forward: bool, offset: u64, initial: f64) -> Result<(), Error> {
    let mut inputs = e.all_inputs();
    if !matches!(inputs.len(), 1 | 2) {
        return Err(e.wrong_count(inputs.len(), 1, 2));
    }
    if offset == 0 {
        inputs.truncate(1);
        e.finish(Operator::Pass, inputs);
        return Ok(());
    }
    if inputs.len() == 1 {
        inputs.push(e.scalar(initial));
    }
    let attributes = Delay { offset };
    e.finish(if forward { Operator::FutureValue(attributes) } else { Operator::PastValue(attributes) }, inputs);
    Ok(())
}

/// BatchNormalization. Old files store the inverse deviation instead of the variance, and lack the number of samples.
fn batch_normalization(
    e: &mut Emitter<'_, '_>,
    attributes: &BatchNormalization,
    inverse: bool,
    counted: bool,
) -> Result<(), Error> {
    let mut inputs = e.all_inputs();
    let wanted = if counted { 6 } else { 5 };
    if inputs.len() != wanted {
        return Err(e.wrong_count(inputs.len(), wanted, wanted));
    }
    if inverse {
        let variance = e.graph.children(e.node).get(4).copied();
        to_variance(e, variance, attributes.epsilon);
    }
    if !counted {
        inputs.push(e.scalar(0.0));
    }
    e.finish(Operator::BatchNormalization(attributes.clone()), inputs);
    Ok(())
}

/// Replaces stored inverse deviations d by variances as CNTK does: 1 / d² + epsilon, computed in the element type.
fn to_variance(e: &mut Emitter<'_, '_>, child: Option<Child<'_>>, epsilon: f64) {
    let Some(Child::Node(node)) = child else { return };
    let Some(place) = e.variable_of.get(node as usize).copied().flatten() else { return };
    let file = e.file;
    let Some(value) = e.variables.get_mut(place as usize).and_then(|v| v.value.as_mut()) else { return };
    // Without a range, the value was already replaced for another reader.
    let (Some(_), ElementStorage::Contiguous(bytes)) = (value.range.take(), &value.elements) else { return };
    #[expect(clippy::cast_possible_truncation, reason = "CNTK computes in the type of the elements")]
    let small = epsilon as f32;
    let made: Vec<u8> = match value.data_type {
        DataType::Double => (bytes.as_chunks().0.iter())
            .map(|b| f64::from_le_bytes(*b))
            .flat_map(|d| (1.0 / (d * d) + epsilon).to_le_bytes())
            .collect(),
        _ => (bytes.as_chunks().0.iter())
            .map(|b| f32::from_le_bytes(*b))
            .flat_map(|d| (1.0 / (d * d) + small).to_le_bytes())
            .collect(),
    };
    value.elements = ElementStorage::Contiguous(file.keep_bytes(made));
}

/// A convolution. A kernel stored as a matrix keeps its bytes; its shape becomes that of the window and then the number
/// of the matrix's rows.
fn convolution(
    e: &mut Emitter<'_, '_>,
    attributes: &Convolution,
    kernel: &Shape,
    maps: &Shape,
    flat: bool,
) -> Result<(), Error> {
    let inputs: [_; 2] = e.inputs()?;
    let elements = |dims: &[u64]| dims.iter().try_fold(1_u64, |n, dim| n.checked_mul(*dim)).unwrap_or(u64::MAX);
    let mut attributes = attributes.clone();
    if let Some(Child::Node(node)) = e.graph.children(e.node).first()
        && let Some(Said::Parameter(parameter)) = e.graph.nodes.get(*node as usize).map(|node| &node.said)
        && let Some(place) = e.variable_of.get(*node as usize).copied().flatten()
        && let Some(variable) = e.variables.get_mut(place as usize)
    {
        let stored = &parameter.shape;
        let shape = match stored.0.as_slice() {
            [rows, columns] => with_window(*rows, *columns, kernel, flat),
            _ => stored.clone(),
        };
        let window = shape.0.split_last().map_or(&[][..], |(_, window)| window);
        extend(&mut attributes, kernel.rank(), window);
        // Old files do not store the number of channels.
        if flat
            && let Some(channels) = window.last()
            && let Some(stride) = attributes.strides.0.get_mut(window.len().saturating_sub(1))
        {
            *stride = *channels;
        }
        let wrong = |kind| Error::new(kind, variable.at).in_key("kernel");
        if let [rows, columns] = *stored.0.as_slice() {
            // A row for each map.
            let expected = [elements(&maps.0), elements(window)];
            if [rows, columns] != expected {
                return Err(wrong(ErrorKind::MatrixShape { rows, columns, expected: expected.to_vec() }));
            }
        } else {
            let (found, expected) = (elements(&stored.0), elements(&kernel.0).saturating_mul(elements(&maps.0)));
            // A kernel of fewer axes than its operand covers the others. Without sharing, each position has a kernel.
            let whole = stored.rank() == kernel.rank().saturating_add(1) && !attributes.sharing.contains(&false);
            let fits = if whole { found == expected } else { found.is_multiple_of(expected) };
            if !fits {
                return Err(wrong(ErrorKind::ValueCount { found, expected }));
            }
        }
        variable.shape = shape.clone();
        if let Some(value) = &mut variable.value {
            value.shape = shape;
        }
    }
    e.finish(Operator::Convolution(attributes), inputs.to_vec());
    Ok(())
}

/// The shape of a kernel stored as a matrix: its window and the number of rows. A file may not hold the number of
/// channels, or 1 for it.
fn with_window(rows: u64, columns: u64, kernel: &Shape, flat: bool) -> Shape {
    let mut shape = kernel.clone();
    let channels = kernel.elements().and_then(|window| columns.checked_div(window));
    if let Some(channels) = channels.filter(|channels| flat && *channels > 1) {
        match shape.0.last_mut() {
            Some(last @ 1) => *last = channels,
            _ => shape.0.push(channels),
        }
    }
    shape.0.push(rows);
    shape
}

/// Lists for the axes of a kernel, extended to those of its operand that it covers as a whole.
fn extend(attributes: &mut Convolution, rank: usize, window: &[u64]) {
    let Some(covered) = window.get(rank..).filter(|covered| !covered.is_empty()) else { return };
    let shapes = [&mut attributes.strides, &mut attributes.lower_pad, &mut attributes.upper_pad];
    for (i, shape) in shapes.into_iter().enumerate() {
        if let [one] = *shape.0.as_slice() {
            shape.0 = std::iter::repeat_n(one, rank).collect();
        }
        if shape.rank() == rank {
            covered.iter().for_each(|dim| shape.0.push(if i == 0 { *dim } else { 0 }));
        }
    }
    for (list, value) in [(&mut attributes.auto_padding, false), (&mut attributes.sharing, true)] {
        if let [one] = *list.as_slice() {
            *list = vec![one; rank];
        }
        if list.len() == rank {
            list.resize(window.len(), value);
        }
    }
}

/// Times. Old scripts also write `*` to scale by a single number.
fn product(e: &mut Emitter<'_, '_>, times: &Times) -> Result<(), Error> {
    let inputs: [_; 2] = e.inputs()?;
    let scalar = |child: &Child<'_>| match child {
        Child::Node(node) => e.graph.layout(*node).is_some_and(|shape| shape.0.is_empty()),
        Child::Unknown(_) => false,
    };
    if e.graph.children(e.node).iter().any(scalar) {
        e.finish(Operator::ElementTimes, inputs.to_vec());
    } else {
        e.finish(Operator::Times(times.clone()), inputs.to_vec());
    }
    Ok(())
}

fn normalize(e: &mut Emitter<'_, '_>) -> Result<(), Error> {
    let [x, mean, inverse] = e.inputs()?;
    let centred = e.inner(Operator::Minus, &[x, mean]);
    e.finish(Operator::ElementTimes, vec![centred, inverse]);
    Ok(())
}

fn denormalize(e: &mut Emitter<'_, '_>) -> Result<(), Error> {
    let [x, _, _] = e.inputs()?;
    let (mean, inverse) = (statistic(e, 1), statistic(e, 2));
    let deviation = e.inner(Operator::Reciprocal, &[inverse]);
    let scaled = e.inner(Operator::ElementTimes, &[x, deviation]);
    e.finish(Operator::Plus, vec![scaled, mean]);
    Ok(())
}

/// A statistic in the shape of the first child, if it has as many elements; it is stored as a vector, a column of a
/// matrix. (CNTK 2.7 does the same for Mean and InvStdDev, but only to normalize; it has no way to denormalize.)
fn statistic<'a>(e: &mut Emitter<'_, 'a>, child: usize) -> &'a str {
    let children = e.graph.children(e.node);
    let (Some(first), Some(own)) = (children.first().copied(), children.get(child).copied()) else { return "" };
    let reference = e.reference(own);
    let shape_of = |child| match child {
        Child::Node(node) => e.graph.layout(node),
        Child::Unknown(_) => None,
    };
    let own = match own {
        Child::Node(node) => e.variable_of.get(node as usize).copied().flatten(),
        Child::Unknown(_) => None,
    };
    let Some(own) = own.and_then(|place| e.variables.get(place as usize)) else { return reference };
    let vector = Shape::from([own.shape.elements().unwrap_or(0)]);
    let wanted = match shape_of(first) {
        Some(shape) if shape.elements() == own.shape.elements() => shape.clone(),
        None if own.shape.rank() == 2 && own.shape.0.last() == Some(&1) => vector,
        _ => return reference,
    };
    if wanted == own.shape {
        return reference;
    }
    reshaped(e, reference, wanted)
}

fn reshaped<'a>(e: &mut Emitter<'_, 'a>, x: &'a str, new_shape: Shape) -> &'a str {
    e.inner(Operator::Reshape(Reshape { new_shape, begin: None, end: None }), &[x])
}

/// A vector whose length is inferred.
fn flat() -> Shape {
    Shape::from([Shape::INFERRED])
}

/// LookupTable: splits `x` into blocks as long as the table is wide, multiplies each by the table and joins the
/// results.
fn lookup_table(e: &mut Emitter<'_, '_>) -> Result<(), Error> {
    let [table, x] = e.inputs()?;
    let columns = match e.graph.children(e.node).first() {
        Some(Child::Node(node)) => e.graph.layout(*node).and_then(|shape| shape.0.get(1).copied()),
        _ => None,
    };
    let times = Operator::Times(Times { output_rank: 1, infer_input_rank_to_map: -1 });
    let Some(columns) = columns else {
        e.finish(times, vec![table, x]);
        return Ok(());
    };
    let blocks = reshaped(e, x, Shape::from([columns, Shape::INFERRED]));
    let found = e.inner(times, &[table, blocks]);
    e.finish(Operator::Reshape(Reshape { new_shape: flat(), begin: None, end: None }), vec![found]);
    Ok(())
}

/// RowRepeat: the operand, repeated `count` times along its last axis.
fn row_repeat(e: &mut Emitter<'_, '_>, count: u64) -> Result<(), Error> {
    let [x] = e.inputs()?;
    if count == 1 {
        e.finish(Operator::Pass, vec![x]);
        return Ok(());
    }
    let copies = usize::try_from(count).unwrap_or(usize::MAX);
    e.finish(Operator::Splice(Splice { axis: axis(-1) }), vec![x; copies]);
    Ok(())
}

/// KhatriRaoProduct: the products of all pairs of elements of the two operands; the first operand's index varies
/// fastest.
fn khatri_rao(e: &mut Emitter<'_, '_>) -> Result<(), Error> {
    let [a, b] = e.inputs()?;
    let column = reshaped(e, a, Shape::from([Shape::INFERRED, 1]));
    let row = reshaped(e, b, Shape::from([1, Shape::INFERRED]));
    let products = e.inner(Operator::ElementTimes, &[column, row]);
    e.finish(Operator::Reshape(Reshape { new_shape: flat(), begin: None, end: None }), vec![products]);
    Ok(())
}

/// Diagonal: the diagonal of a matrix, as a row.
fn diagonal(e: &mut Emitter<'_, '_>) -> Result<(), Error> {
    let [matrix] = e.inputs()?;
    let identity = e.inner(Operator::EyeLikeOp(EyeLike { output_sparse: false }), &[matrix]);
    let kept = e.inner(Operator::ElementTimes, &[matrix, identity]);
    let sum = ReduceElements { axes: vec![axis(0)], reduction: Reduction::Sum, keep_dimensions: true };
    e.finish(Operator::ReduceElements(sum), vec![kept]);
    Ok(())
}

/// MatrixL1Reg: the sum of absolute values.
fn l1(e: &mut Emitter<'_, '_>) -> Result<(), Error> {
    let [actual] = e.inputs()?;
    let x = e.formal();
    let magnitudes = e.inner(Operator::Abs, &[x]);
    let sum = e.inner(Operator::SumAll, &[magnitudes]);
    block(e, "MatrixL1Reg", sum, &[(x, actual)]);
    Ok(())
}

/// MatrixL2Reg: the Frobenius norm.
fn l2(e: &mut Emitter<'_, '_>) -> Result<(), Error> {
    let [actual] = e.inputs()?;
    let x = e.formal();
    let squares = e.inner(Operator::ElementTimes, &[x, x]);
    let sum = e.inner(Operator::SumAll, &[squares]);
    let norm = e.inner(Operator::Sqrt, &[sum]);
    block(e, "MatrixL2Reg", norm, &[(x, actual)]);
    Ok(())
}

/// CrossEntropy: -sum(labels * log(p)) over all elements.
fn cross_entropy(e: &mut Emitter<'_, '_>) -> Result<(), Error> {
    let [actual_labels, actual_p] = e.inputs()?;
    let (labels, p) = (e.formal(), e.formal());
    let logarithms = e.inner(Operator::Log, &[p]);
    let terms = e.inner(Operator::ElementTimes, &[labels, logarithms]);
    let sum = e.inner(Operator::SumAll, &[terms]);
    let negative = e.inner(Operator::Negate, &[sum]);
    block(e, "CrossEntropy", negative, &[(labels, actual_labels), (p, actual_p)]);
    Ok(())
}

/// A training criterion as a block, as in v2. The name of the block lets the converter drop it.
fn block<'a>(e: &mut Emitter<'_, 'a>, op_name: &'static str, output: &'a str, arguments: &[(&'a str, &'a str)]) {
    let root = output.strip_suffix("_Output_0").unwrap_or(output);
    let inputs = arguments.iter().map(|(_, actual)| *actual).collect();
    let block = Block { op_name, root, uid: root, arguments: arguments.to_vec() };
    e.finish_as((FunctionKind::Block(Box::new(block)), Attributes::Record(Dictionary::default())), inputs);
}

fn axis(index: i32) -> Axis<'static> {
    Axis { index, name: "", ordered: false }
}
