//! Writes the files of a converted model.

use super::emission::Emission;
use super::guard::Guard;
use super::helpers::{Helper, Import, Needs};
use super::interface::Interface;
use super::lower::{Class, Lower};
use super::momentum::{self, TIME_CONSTANT};
use super::python::expr::{StateId, ValueId};
use super::python::names::{Names, class_name};
use super::python::plan::Plan;
use super::python::wrap::Lines;
use super::safetensors::{Tensor, provenance};
use super::state::{Kind, State, name_all};
use super::structure::{self, Block, Filling, Network, Recovered};
use super::{PyTorchConversion, PyTorchOptions, reference, report, testing};
use cntk_parser::model::{DataType, Dim, FunctionId, FunctionKind, SequenceAxisId, Source, ValueType, VariableId};
use std::collections::{BTreeMap, HashMap, HashSet};

pub(super) fn emit(mut lower: Lower<'_, '_, '_>, outputs: &[ValueId], own: &PyTorchOptions) -> PyTorchConversion {
    let mut returned = outputs.to_vec();
    returned.extend(lower.output_lengths().into_iter().map(|l| l.value));
    lower.settle_lengths(&returned);
    let lengths: Vec<String> = lower.lengths.iter().map(|l| l.name.clone()).collect();
    let class = lower.globals.unique(&class_name(&own.name));
    let model = lower.graph.model;
    let label = |block: FunctionId| match &model.function(block).kind {
        FunctionKind::Block(b) => Some(b.op_name.to_owned()),
        _ => None,
    };
    let time_constant = momentum::share(&mut lower.states, &lower.body.states(&returned));
    let Recovered { blocks, fillings } = structure::recover(Network {
        body: &mut lower.body,
        states: &mut lower.states,
        globals: &mut lower.globals,
        locals: &mut lower.names,
        arguments: &lower.arguments,
        lengths: &lengths,
        outputs: &returned,
        label: &label,
    });
    let used = lower.body.states(&returned);
    let mut attributes = Names::of_attributes();
    lower.stubs.iter().for_each(|(method, _)| {
        attributes.take(method);
    });
    let interface = Interface::new(&lower);
    let guard = own.check_inputs.then(|| Guard::new(&lower, &interface, &mut attributes));
    let names = name_all(&lower.states, &used, &mut attributes);
    warn_of_copies(&mut lower, &used);
    let mut locals = lower.names.clone();
    let mut body = Lines::default();
    guard.iter().for_each(|guard| guard.check(&mut body));
    prelude(&lower, &mut body);
    Plan::new(&lower.body, &returned, &names, &mut locals).method(&mut body, 2, &returned, &mut locals);
    let named = |f| Filling::lists(f).filter_map(|id| names.get(&id)).map(move |name| (name.clone(), f));
    let emission = Emission {
        lower: &lower,
        class,
        states: used.iter().map(|id| (names[id].clone(), &lower.states[id.0 as usize])).collect(),
        fillings: fillings.iter().flat_map(named).collect(),
        names: &names,
        time_constant,
        outputs: lower.graph.outputs.iter().map(|o| o.name.clone()).collect(),
        guard,
    };
    let mut needs = Needs::default();
    lower.body.each_needed(&returned, &mut |e| needs.see(e));
    emission.states.iter().for_each(|(name, state)| state.init(name).iter().for_each(|i| i.see(&mut needs)));
    if !lower.lengths.is_empty() {
        needs.call("full_lengths");
        if !lower.equal_lengths {
            needs.import(Import::Optional);
        }
    }
    blocks.iter().for_each(|b| b.see(&mut needs));
    fillings.iter().for_each(|f| f.see(&mut needs));
    emission.guard.iter().for_each(|guard| guard.see(&mut needs));
    let module = emission.module(&body.finish(), &blocks, needs);
    let metadata = provenance(lower.graph.model, own.source_sha256);
    PyTorchConversion {
        module,
        test: testing::test(&emission, &interface),
        report: report::report(&emission, &metadata),
        package: emission.package(),
        weights: emission.weights(),
        metadata,
        reference: reference::made_up(&interface),
        warnings: lower.graph.notes.iter().chain(&lower.warnings).cloned().collect(),
        dropped: lower.graph.dropped.clone(),
        interface,
    }
}

/// Warns of a weight that two layers hold, each in a layout of its own.
fn warn_of_copies(lower: &mut Lower<'_, '_, '_>, used: &[StateId]) {
    let mut holders: HashMap<VariableId, StateId> = HashMap::new();
    for id in used {
        for held in &lower.states[id.0 as usize].tensors {
            let Some(v) = held.variable else { continue };
            if *holders.entry(v).or_insert(*id) != *id {
                let uid = lower.graph.model.variable(v).uid;
                lower.warnings.push(format!("{uid} is shared in CNTK; here two layers hold a copy each"));
            }
        }
    }
}

/// The statements that fill in lengths that were not given.
fn prelude(lower: &Lower<'_, '_, '_>, body: &mut Lines) {
    for l in &lower.lengths {
        let Some(i) = lower.graph.arguments.iter().position(|a| a.variable == l.variable) else { continue };
        let line = format!("{} = full_lengths({})", l.name, lower.arguments[i]);
        if lower.equal_lengths {
            body.push(2, &line);
        } else {
            body.push(2, &format!("if {} is None:", l.name));
            body.push(3, &line);
        }
    }
}

impl Emission<'_, '_, '_, '_> {
    fn module(&self, body: &str, blocks: &[Block], mut needs: Needs) -> String {
        let mut class = Lines::default();
        self.class(&mut class, body);
        let class = class.finish();
        let defined = || self.lower.classes.iter().filter(|(_, name)| needs.makes(name));
        let mut layers: Vec<String> = defined().map(|(layer, name)| layer.text(name)).collect();
        layers.extend(blocks.iter().map(Block::text));
        let own: Vec<&Class> = defined().map(|(layer, _)| layer).collect();
        own.into_iter().for_each(|layer| layer.see(&mut needs));
        let helpers: Vec<&Helper> = needs.helpers().collect();
        let mut code = Lines::default();
        for (i, helper) in helpers.iter().enumerate() {
            code.push(0, "");
            if i > 0 || !helper.text.starts_with('#') {
                code.push(0, "");
            }
            match &self.time_constant {
                Some(time_constant) => code.block(0, &helper.text.replace(TIME_CONSTANT, time_constant)),
                None => code.block(0, helper.text),
            }
        }
        for layer in &layers {
            code.push(0, "");
            code.push(0, "");
            code.block(0, layer);
        }
        code.push(0, "");
        code.push(0, "");
        code.block(0, &class);
        code.push(0, "");
        code.push(0, "");
        code.push(0, "WEIGHTS = Path(__file__).with_name(\"model.safetensors\")");
        code.push(0, "");
        code.push(0, "");
        let options = self.guard.iter().flat_map(|_| Guard::OPTIONS).map(str::to_owned);
        let arguments: Vec<String> = std::iter::once("path: str | Path = WEIGHTS".to_owned()).chain(options).collect();
        code.signature(0, "load", &arguments, &self.class);
        code.push(1, "\"\"\"The module with its weights, in eval mode.\"\"\"");
        let options = if self.guard.is_some() { "check_inputs, max_steps" } else { "" };
        code.push(1, &format!("model = {}({options})", self.class));
        code.push(1, "model.load_state_dict(load_file(path))");
        code.push(1, "return model.eval()");
        let code = code.finish();
        format!("{}{}{code}", self.docstring(), imports(&needs))
    }

    /// The text of `__init__.py`, which makes the directory a package.
    fn package(&self) -> String {
        let mut code = Lines::default();
        code.push(0, &format!("\"\"\"{}: PyTorch form of a CNTK model.\"\"\"", self.class));
        code.push(0, "");
        code.collection("from .model import ", "", &[self.class.clone(), "load".to_owned()]);
        code.push(0, "");
        code.collection("__all__ = ", "[]", &[format!("\"{}\"", self.class), "\"load\"".to_owned()]);
        code.finish()
    }

    fn class(&self, code: &mut Lines, body: &str) {
        code.push(0, &format!("class {}(nn.Module):", self.class));
        let buffers: Vec<_> = self.states.iter().filter(|(_, s)| s.kind == Kind::Buffer).collect();
        for (name, _) in &buffers {
            code.push(1, &format!("{name}: Tensor"));
        }
        if !buffers.is_empty() {
            code.push(0, "");
        }
        if !self.states.is_empty() || self.guard.is_some() {
            let options = self.guard.iter().flat_map(|_| Guard::OPTIONS).map(str::to_owned);
            let arguments: Vec<String> = std::iter::once("self".to_owned()).chain(options).collect();
            code.signature(1, "__init__", &arguments, "None");
            code.push(2, "super().__init__()");
            self.guard.iter().for_each(|_| Guard::init(code));
            let mut filled = HashSet::new();
            for (name, state) in &self.states {
                match self.fillings.get(name) {
                    Some(filling) if filled.insert(name) => {
                        filling.write(&|id| self.names[&id].clone(), code);
                        filled.extend(filling.lists().map(|id| &self.names[&id]));
                    }
                    Some(_) => {}
                    None => state.write(name, code),
                }
            }
            code.push(0, "");
        }
        let mut arguments: Vec<String> = std::iter::once("self".to_owned())
            .chain(self.lower.arguments.iter().map(|a| format!("{a}: Tensor")))
            .collect();
        if !self.lower.equal_lengths {
            arguments.extend(self.lower.lengths.iter().map(|l| format!("{}: Optional[Tensor] = None", l.name)));
        }
        let count = self.outputs.len() + self.lower.output_lengths().len();
        let result =
            if count == 1 { "Tensor".to_owned() } else { format!("tuple[{}]", vec!["Tensor"; count].join(", ")) };
        code.signature(1, "forward", &arguments, &result);
        code.block(0, body);
        for (method, reason) in &self.lower.stubs {
            code.push(0, "");
            code.push(1, &format!("def {method}(self, *inputs: Tensor) -> Tensor:"));
            code.push(2, &format!("# {}", super::python::names::comment(reason)));
            code.push(2, "raise NotImplementedError");
        }
    }

    fn docstring(&self) -> String {
        let mut rows: Vec<[String; 3]> = Vec::new();
        let mut symbols = Symbols::default();
        let model = self.lower.graph.model;
        for (a, name) in self.lower.graph.arguments.iter().zip(&self.lower.arguments) {
            let ty = model.type_of(Source::Variable(a.variable));
            let what = match a.classes {
                None => describe(ty, &mut symbols),
                Some(n) => {
                    let last = format!(", {n}]");
                    let shape = describe(ty, &mut symbols).split_once(' ').map(|(_, shape)| shape.replace(&last, "]"));
                    format!("int64 {}: ids below {n}; any other is a row of zeros", shape.unwrap_or_default())
                }
            };
            rows.push(["Input".to_owned(), name.clone(), what]);
        }
        if !self.lower.equal_lengths {
            for l in &self.lower.lengths {
                let text = "int64 [N]: valid steps; without it, all are".to_owned();
                rows.push([String::new(), l.name.clone(), text]);
            }
        }
        for o in &self.lower.graph.outputs {
            // Elsewhere an output without a name has its uid as a name; here it has none.
            let name = super::python::names::identifier(&o.name).filter(|_| o.name != o.uid).unwrap_or_default();
            rows.push(["Output".to_owned(), name, describe(model.type_of(o.source), &mut symbols)]);
        }
        for l in self.lower.output_lengths() {
            rows.push(["Output".to_owned(), l.name, "int64 [N]: its valid steps".to_owned()]);
        }
        let width = rows.iter().map(|r| r[1].len()).max().unwrap_or(0);
        let mut text = format!("\"\"\"{}: PyTorch form of a CNTK model.\n\n", self.class);
        let mut kind = String::new();
        for [k, name, what] in rows {
            let shown = if k == kind { String::new() } else { k.clone() };
            kind = k;
            text.push_str(format!("{shown:<8}{name:<width$}  {what}").trim_end());
            text.push('\n');
        }
        if !self.lower.graph.dropped.is_empty() {
            text.push_str("\nTraining criteria are left out. CNTK's cross_entropy_with_softmax is F.cross_entropy.\n");
        }
        text.push_str("\"\"\"\n\n");
        text
    }

    fn weights(&self) -> Vec<Tensor> {
        let mut all = Vec::new();
        for (name, state) in &self.states {
            for held in &state.tensors {
                all.push(Tensor {
                    name: State::key(name, held),
                    elem: held.elem,
                    dims: held.dims.clone(),
                    data: held.data.clone(),
                });
            }
        }
        all
    }
}

/// The import statements of the module.
fn imports(needs: &Needs) -> String {
    let mut lines: Vec<&str> = Vec::new();
    if needs.imports(Import::Optional) {
        lines.push("# ruff: noqa: UP045");
        lines.push("# Optional[X] and not X | None, which torch.jit.script of torch 1.13 does not know.\n");
    }
    lines.extend(needs.imports(Import::Math).then_some("import math"));
    lines.push("from pathlib import Path");
    lines.extend(needs.imports(Import::Optional).then_some("from typing import Optional"));
    lines.push("");
    lines.extend(needs.imports(Import::Torch).then_some("import torch"));
    lines.extend(needs.imports(Import::Functional).then_some("import torch.nn.functional as F"));
    lines.push("from safetensors.torch import load_file");
    lines.push("from torch import Tensor, nn");
    if needs.imports(Import::Packed) {
        lines.push("from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence");
    }
    lines.join("\n") + "\n"
}

/// What dimensions of an unknown size are called in the docstring.
#[derive(Default)]
struct Symbols {
    free: BTreeMap<u32, usize>,
    /// Sequence axes in the order in which they are named.
    sequences: Vec<SequenceAxisId>,
}

impl Symbols {
    /// T for the first sequence axis, S for the second, then S3, S4, …: steps of different axes have different counts.
    fn steps(&mut self, axis: SequenceAxisId) -> String {
        let known = self.sequences.iter().position(|a| *a == axis);
        let place = known.unwrap_or_else(|| {
            self.sequences.push(axis);
            self.sequences.len() - 1
        });
        match place {
            0 => "T".to_owned(),
            1 => "S".to_owned(),
            n => format!("S{}", n + 1),
        }
    }

    /// D1, D2, … for free static dimensions.
    fn free(&mut self, id: u32) -> String {
        let next = self.free.len() + 1;
        format!("D{}", self.free.entry(id).or_insert(next))
    }
}

/// Element type and shape, for the docstring.
fn describe(ty: &ValueType, symbols: &mut Symbols) -> String {
    let elem = match ty.data_type {
        DataType::Double => "float64",
        DataType::Float16 => "float16",
        _ => "float32",
    };
    let mut dims = Vec::new();
    if ty.axes.batch {
        dims.push("N".to_owned());
    }
    dims.extend(ty.axes.sequence.map(|axis| symbols.steps(axis)));
    for d in &ty.shape {
        dims.push(match d {
            Dim::Known(n) => n.to_string(),
            Dim::Free(id) => symbols.free(*id),
        });
    }
    format!("{elem} [{}]", dims.join(", "))
}
