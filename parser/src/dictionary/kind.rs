//! The types of a value.

/// `DictionaryValue.Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are CNTK's")]
pub enum ValueKind {
    None,
    Bool,
    Int,
    SizeT,
    Float,
    Double,
    String,
    NDShape,
    Axis,
    Vector,
    Dictionary,
    NDArrayView,
}

impl ValueKind {
    const ALL: [Self; 12] = [
        Self::None,
        Self::Bool,
        Self::Int,
        Self::SizeT,
        Self::Float,
        Self::Double,
        Self::String,
        Self::NDShape,
        Self::Axis,
        Self::Vector,
        Self::Dictionary,
        Self::NDArrayView,
    ];

    /// The kind with this `value_type`.
    pub fn from_code(code: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(code).ok()?).copied()
    }

    /// The kind whose member has this field number.
    pub(crate) fn from_member(field: u32) -> Option<Self> {
        Self::from_code(u64::from(field.checked_sub(2)?)).filter(|kind| *kind != Self::None)
    }

    /// CNTK's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool => "Bool",
            Self::Int => "Int",
            Self::SizeT => "SizeT",
            Self::Float => "Float",
            Self::Double => "Double",
            Self::String => "String",
            Self::NDShape => "NDShape",
            Self::Axis => "Axis",
            Self::Vector => "Vector",
            Self::Dictionary => "Dictionary",
            Self::NDArrayView => "NDArrayView",
        }
    }

    /// The protobuf field that holds it.
    pub(crate) fn field_name(self) -> &'static str {
        match self {
            Self::None => "value",
            Self::Bool => "bool_value",
            Self::Int => "int_value",
            Self::SizeT => "size_t_value",
            Self::Float => "float_value",
            Self::Double => "double_value",
            Self::String => "string_value",
            Self::NDShape => "nd_shape_value",
            Self::Axis => "axis_value",
            Self::Vector => "vector_value",
            Self::Dictionary => "dictionary_value",
            Self::NDArrayView => "nd_array_view_value",
        }
    }
}
