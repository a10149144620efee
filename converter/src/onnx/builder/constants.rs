//! Constants: literals made by the converter, and weights that stay in the source file.

use super::super::graph::{Data, Dim, Dims, ElemType, Initializer, Stored, ValueId, View};
use super::Builder;
use crate::weights::row_major;
use smallvec::SmallVec;
use std::ops::Range;

/// What is known of a constant value.
#[derive(Clone, Debug)]
pub(crate) enum Constant {
    /// A small literal made by the converter. Its elements are f64, which is exact for every type that is used.
    Literal(Vec<f64>),
    /// A view of a tensor in the source file.
    View(View),
}

/// The constants among the values, in a table by id: on large graphs that takes half the memory of a map.
#[derive(Default)]
pub(super) struct Constants {
    list: Vec<Constant>,
    /// For each value up to the last constant, the index in the list.
    places: Vec<Option<u32>>,
}

impl Constants {
    fn get(&self, id: ValueId) -> Option<&Constant> {
        let place = (*self.places.get(id.0 as usize)?)?;
        self.list.get(place as usize)
    }

    fn insert(&mut self, id: ValueId, constant: Constant) {
        let index = id.0 as usize;
        if self.places.len() <= index {
            self.places.resize(index + 1, None);
        }
        self.places[index] = u32::try_from(self.list.len()).ok();
        self.list.push(constant);
    }
}

impl Builder {
    /// The constant that a value is, if it is one.
    pub(crate) fn constant(&self, id: ValueId) -> Option<&Constant> {
        self.constants.get(id)
    }

    /// The elements of a literal.
    pub(crate) fn literal(&self, id: ValueId) -> Option<&[f64]> {
        match self.constants.get(id)? {
            Constant::Literal(values) => Some(values),
            Constant::View(_) => None,
        }
    }

    /// A literal tensor, shared among its users.
    pub(crate) fn tensor(&mut self, elem: ElemType, dims: &[u64], values: &[f64]) -> ValueId {
        let mut bytes = Vec::with_capacity(values.len() * elem.size());
        for v in values {
            elem.encode(*v, &mut bytes);
        }
        let dims: SmallVec<[u64; 4]> = dims.into();
        let key = (elem as i32, dims.clone(), bytes);
        if let Some(id) = self.literals.get(&key) {
            return *id;
        }
        let shape: Dims = dims.iter().map(|n| Dim::Known(*n)).collect();
        let id = self.in_main(|b| b.value(None, elem, shape));
        self.model.initializers.push(Initializer { value: id, data: Data::Owned(key.2.clone()) });
        self.constants.insert(id, Constant::Literal(values.iter().map(|v| elem.round(*v)).collect()));
        self.literals.insert(key, id);
        id
    }

    /// A literal that is not shared, so that it can have a name of its own.
    pub(crate) fn own_tensor(&mut self, elem: ElemType, dims: &[u64], values: Vec<f64>) -> ValueId {
        let mut bytes = Vec::with_capacity(values.len() * elem.size());
        for v in &values {
            elem.encode(*v, &mut bytes);
        }
        let shape: Dims = dims.iter().map(|n| Dim::Known(*n)).collect();
        let id = self.in_main(|b| b.value(None, elem, shape));
        self.model.initializers.push(Initializer { value: id, data: Data::Owned(bytes) });
        self.constants.insert(id, Constant::Literal(values));
        id
    }

    /// A scalar literal.
    pub(crate) fn scalar(&mut self, elem: ElemType, value: f64) -> ValueId {
        self.tensor(elem, &[], &[value])
    }

    /// An int64 vector.
    pub(crate) fn ints(&mut self, values: &[i64]) -> ValueId {
        let values: Vec<f64> = values.iter().map(|v| *v as f64).collect();
        self.tensor(ElemType::Int64, &[values.len() as u64], &values)
    }

    /// A tensor of the source file, row-major under `dims`, given as an initializer of type `elem`.
    pub(crate) fn stored(
        &mut self,
        name: Option<String>,
        elem: ElemType,
        dims: &[u64],
        range: Range<u64>,
        stored: Stored,
    ) -> ValueId {
        let view = View { range, stored, offset: 0, dims: dims.into(), strides: row_major(dims) };
        let id = self.view(elem, view);
        if let Some(name) = name {
            self.name_value(id, name);
        }
        id
    }

    /// An initializer that is a view of a stored tensor.
    pub(crate) fn view(&mut self, elem: ElemType, view: View) -> ValueId {
        let shape: Dims = view.dims.iter().map(|n| Dim::Known(*n)).collect();
        let id = self.in_main(|b| b.value(None, elem, shape));
        let data = view_data(elem, &view);
        self.model.initializers.push(Initializer { value: id, data });
        self.constants.insert(id, Constant::View(view));
        id
    }

    /// An initializer made of several views, one after another in row-major order; shared among its users.
    pub(crate) fn views(&mut self, elem: ElemType, dims: &[u64], views: Vec<View>) -> ValueId {
        let key = (elem as i32, SmallVec::from(dims), views);
        if let Some(id) = self.joined.get(&key) {
            return *id;
        }
        let shape: Dims = dims.iter().map(|n| Dim::Known(*n)).collect();
        let id = self.in_main(|b| b.value(None, elem, shape));
        self.model.initializers.push(Initializer { value: id, data: Data::Views(key.2.clone()) });
        self.joined.insert(key, id);
        id
    }

    /// The view behind a weight, if it is one.
    pub(crate) fn stored_view(&self, id: ValueId) -> Option<&View> {
        match self.constants.get(id)? {
            Constant::View(view) => Some(view),
            Constant::Literal(_) => None,
        }
    }

    /// Adds another view of a weight under the weight's name. The finishing pass resolves the clash of names.
    pub(super) fn derive_view(&mut self, from: ValueId, elem: ElemType, view: View) -> ValueId {
        let name = self.value_name(from).map(str::to_owned);
        let id = self.view(elem, view);
        if let Some(name) = name {
            self.name_value(id, name);
        }
        id
    }
}

/// The data of a view: the bytes of the file if type and order already fit.
fn view_data(elem: ElemType, view: &View) -> Data {
    let same = matches!(
        (elem, view.stored),
        (ElemType::Float, Stored::F32) | (ElemType::Double, Stored::F64) | (ElemType::Int8, Stored::I8)
    );
    if same
        && view.is_contiguous()
        && view.offset == 0
        && view.count() * view.stored.size() == view.range.end - view.range.start
    {
        Data::Unchanged(view.range.clone())
    } else {
        Data::Views(vec![view.clone()])
    }
}

/// The longest literal 0, 1, …; a longer range is computed at run time.
const LONGEST_LITERAL: u64 = 4096;

impl Builder {
    /// `0, 1, … n-1` as int64: a literal, or a Range where that would be large.
    pub(crate) fn range_literal(&mut self, n: u64) -> Result<ValueId, crate::report::Reason> {
        if n > LONGEST_LITERAL {
            if i64::try_from(n).is_err() {
                return Err(crate::report::Reason::new("numClass", "larger than ONNX can say"));
            }
            return Ok(self.in_main(|b| b.range(Dim::Known(n)))?);
        }
        Ok(self.ints(&(0..n as i64).collect::<Vec<_>>()))
    }
}
