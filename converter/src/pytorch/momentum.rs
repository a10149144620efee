//! The momentum of batch normalization, which is a constant of the file where all layers have the same.

use super::python::expr::{Expr, StateId};
use super::python::print::constant;
use super::state::{Kind, State};

/// The constant.
pub(super) const CONSTANT: &str = "BN_MOMENTUM";

/// What stands for CNTK's time constant in the text that defines it.
pub(super) const TIME_CONSTANT: &str = "TIME_CONSTANT";

/// Lets all layers read the constant if they have the same time constant, which is given back.
pub(super) fn share(states: &mut [State], used: &[StateId]) -> Option<String> {
    let mut found: Option<String> = None;
    let mut differ = false;
    for id in used {
        let Kind::Module(constructor) = &states[id.0 as usize].kind else { continue };
        constructor.each(&mut |e| {
            if let Some(time_constant) = made_from(e).map(constant) {
                differ |= found.get_or_insert_with(|| time_constant.clone()) != &time_constant;
            }
        });
    }
    if differ || found.is_none() {
        return None;
    }
    for id in used {
        if let Kind::Module(constructor) = &mut states[id.0 as usize].kind {
            *constructor = constructor.rewrite(&mut |e| made_from(e).map(|_| Expr::Helper(CONSTANT)));
        }
    }
    found
}

/// The time constant that a momentum is made from.
fn made_from(momentum: &Expr) -> Option<&Expr> {
    match momentum {
        Expr::Call(function, arguments) if **function == Expr::Helper("bn_momentum") => Some(&arguments.first()?.value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pytorch::python::expr::{args, helper, keyword, nn};

    fn layers(time_constants: &[f64]) -> (Vec<State>, Vec<StateId>) {
        let momentum = |t: f64| keyword("momentum", helper("bn_momentum", args![Expr::number(t, false)]));
        let made = |t: &f64| {
            let mut arguments = args![8];
            arguments.push(momentum(*t));
            State::module(nn("BatchNorm2d", arguments), None, "bn")
        };
        let states: Vec<State> = time_constants.iter().map(made).collect();
        let used = (0..states.len() as u32).map(StateId).collect();
        (states, used)
    }

    fn text(state: &State) -> String {
        constant(match &state.kind {
            Kind::Module(constructor) => constructor,
            _ => unreachable!("a layer"),
        })
    }

    #[test]
    fn one_time_constant_is_a_constant_of_the_file() {
        let (mut states, used) = layers(&[64.0, 64.0]);
        assert_eq!(share(&mut states, &used).as_deref(), Some("64.0"));
        assert_eq!(text(&states[1]), "nn.BatchNorm2d(8, momentum=BN_MOMENTUM)");
        let (mut states, used) = layers(&[64.0, 32.0]);
        assert_eq!(share(&mut states, &used), None);
        assert_eq!(text(&states[1]), "nn.BatchNorm2d(8, momentum=bn_momentum(32.0))");
        assert_eq!(share(&mut states, &[]), None);
    }
}
