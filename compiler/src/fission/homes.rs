//! Where does what lives longer than one turn stay? In one scalar of the workgroup, in an array over the gangs, or nowhere, to be computed
//! anew.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::split::Split;
use super::{Fission, Step, Transfer, Turn, TurnId, Values, visit_turns};
use crate::ir::{Address, ArrayId, Binary, Kernel, Memory, Op, Space, Stmt, ValueId, VarId};
use crate::tree::{Kind, Node, Tree};
use crate::variance::Variance;

/// Operations that computing a value anew may take.
const RECOMPUTE_MAX: usize = 12;

/// Decides what every turn fetches, keeps and computes anew.
pub(super) fn settle<'a>(
    kernel: &Kernel,
    tree: &'a Tree,
    variance: &Variance,
    values: Values<'_>,
    split: Split<'a>,
) -> Fission<'a> {
    let Split {
        mut steps,
        workgroup_vars,
        once,
        labels,
    } = split;
    let mut uses = Vec::new();
    visit_turns(&mut steps, &mut |turn| {
        uses.push(Used::new(kernel, tree, values, turn));
    });
    let homes = Homes {
        kernel,
        values,
        once: &once,
        made: made_in(&uses),
    };

    let mut kept_values = BTreeSet::new();
    let mut needs: HashMap<TurnId, (Vec<ValueId>, Vec<ValueId>)> = HashMap::new();
    for used in &uses {
        let needed = homes.brought(used);
        kept_values.extend(needed.1.iter().copied());
        needs.insert(used.turn, needed);
    }
    kept_values.extend(
        conditions(&steps)
            .into_iter()
            .filter(|id| homes.made.contains_key(id)),
    );

    let mut again = HashSet::new();
    repeated(&mut steps, &mut again);
    let kept_vars = shared(
        &uses,
        &again,
        |used| &used.vars,
        |var, used| variance.live.before(used.first).var(var),
    )
    .into_iter()
    .filter(|var| !workgroup_vars.contains(var))
    .collect();
    let kept_arrays = shared(
        &uses,
        &again,
        |used| &used.arrays,
        |array, used| variance.live.before(used.first).array(array),
    )
    .into_iter()
    .filter(|array| !is_table(kernel, *array))
    .collect();

    let mut fission = Fission {
        steps,
        workgroup_vars,
        once,
        kept_vars,
        kept_arrays,
        kept_values,
        labels,
    };
    let mut steps = std::mem::take(&mut fission.steps);
    let mut at = 0;
    visit_turns(&mut steps, &mut |turn| {
        (turn.recompute, turn.fetch) = needs.remove(&turn.id).unwrap_or_default();
        transfer(kernel, variance, &fission, &uses[at], turn);
        at += 1;
    });
    fission.steps = steps;
    fission
}

/// Decides what `turn` declares, fetches and keeps.
fn transfer(
    kernel: &Kernel,
    variance: &Variance,
    fission: &Fission<'_>,
    used: &Used,
    turn: &mut Turn<'_>,
) {
    let kept_values = fission.kept_values.iter().copied();
    turn.keep = kept_values.filter(|id| used.made.contains(id)).collect();
    let own_var =
        |var: &VarId| !fission.kept_vars.contains(var) && !fission.workgroup_vars.contains(var);
    turn.own_vars = used.vars.iter().copied().filter(own_var).collect();
    let own_array =
        |array: &ArrayId| !fission.kept_arrays.contains(array) && !is_table(kernel, *array);
    turn.own_arrays = used.arrays.iter().copied().filter(own_array).collect();
    turn.vars = transfers(variance, used, &fission.kept_vars);
}

fn is_table(kernel: &Kernel, array: ArrayId) -> bool {
    kernel.arrays[array.0 as usize].contents.is_some()
}

/// What a turn mentions.
struct Used {
    turn: TurnId,
    first: crate::tree::NodeId,
    last: crate::tree::NodeId,
    made: HashSet<ValueId>,
    values: BTreeSet<ValueId>,
    vars: BTreeSet<VarId>,
    assigned: BTreeSet<VarId>,
    arrays: BTreeSet<ArrayId>,
    jumps: bool,
}

impl Used {
    fn new(kernel: &Kernel, tree: &Tree, values: Values<'_>, turn: &Turn<'_>) -> Used {
        let (first, last) = (turn.nodes[0].id, turn.nodes[turn.nodes.len() - 1].id);
        let mut used = Used {
            turn: turn.id,
            first,
            last,
            made: HashSet::new(),
            values: BTreeSet::new(),
            vars: BTreeSet::new(),
            assigned: BTreeSet::new(),
            arrays: BTreeSet::new(),
            jumps: false,
        };
        for node in &turn.nodes {
            node.visit(&mut |node| used.node(kernel, tree, values, node));
        }
        used
    }

    fn node(&mut self, kernel: &Kernel, tree: &Tree, values: Values<'_>, node: &Node) {
        let indices = |address: &Address| {
            address
                .terms
                .iter()
                .map(|term| term.index)
                .collect::<Vec<_>>()
        };
        match &node.kind {
            Kind::Leaf(stmt) => match stmt {
                Stmt::Let(id) if tree.needed.value(*id) => {
                    let op = &kernel.value(*id).op;
                    self.made.insert(*id);
                    self.values.extend((values.operands)(*id));
                    match op {
                        Op::ReadVar(var) => {
                            self.vars.insert(*var);
                        }
                        Op::ReadArray(array, _) => {
                            self.arrays.insert(*array);
                        }
                        _ => {}
                    }
                }
                Stmt::SetVar(var, value) => {
                    self.vars.insert(*var);
                    self.assigned.insert(*var);
                    self.values.insert(*value);
                }
                Stmt::SetArray {
                    array,
                    index,
                    value,
                } => {
                    self.arrays.insert(*array);
                    self.values.extend([*index, *value]);
                }
                Stmt::Store { address, value, .. } => {
                    self.values.extend(indices(address));
                    self.values.insert(*value);
                }
                Stmt::Atomic {
                    address,
                    value,
                    compare,
                    result,
                    exchanged,
                    ..
                } => {
                    self.values
                        .extend(indices(address).into_iter().chain(*value).chain(*compare));
                    self.made.extend(result.iter().chain(exchanged));
                }
                _ => {}
            },
            Kind::If { condition, .. } => {
                self.values.insert(*condition);
            }
            Kind::Loop { break_if, .. } => self.values.extend(break_if),
            Kind::Block { .. } => {}
            Kind::Jump(_) => self.jumps = true,
        }
    }
}

fn made_in(uses: &[Used]) -> HashMap<ValueId, TurnId> {
    uses.iter()
        .flat_map(|used| used.made.iter().map(|id| (*id, used.turn)))
        .collect()
}

/// What a turn finds as an earlier turn, or the same one an iteration before, left it.
fn shared<T: Copy + Ord>(
    uses: &[Used],
    repeated: &HashSet<TurnId>,
    of: impl Fn(&Used) -> &BTreeSet<T>,
    live: impl Fn(T, &Used) -> bool,
) -> BTreeSet<T> {
    let all: BTreeSet<T> = uses
        .iter()
        .flat_map(|used| of(used).iter().copied())
        .collect();
    let is_shared = |thing: &T| {
        let turns: Vec<&Used> = uses
            .iter()
            .filter(|used| of(used).contains(thing))
            .collect();
        let later = turns.len() > 1 || turns.iter().any(|used| repeated.contains(&used.turn));
        later && turns.iter().any(|used| live(*thing, used))
    };
    all.into_iter().filter(is_shared).collect()
}

/// The turns inside loops of the workgroup.
fn repeated(steps: &mut [Step<'_>], turns: &mut HashSet<TurnId>) {
    for step in steps {
        match step {
            Step::Loop {
                body, continuing, ..
            } => {
                for part in [body, continuing] {
                    visit_turns(part, &mut |turn| {
                        turns.insert(turn.id);
                    });
                }
            }
            Step::If { accept, reject, .. } => {
                repeated(accept, turns);
                repeated(reject, turns);
            }
            Step::Block { body, .. } => repeated(body, turns),
            Step::Once(_) | Step::Turn(_) | Step::Barrier | Step::Jump(_) => {}
        }
    }
}

fn transfers(
    variance: &Variance,
    used: &Used,
    kept: &BTreeSet<VarId>,
) -> BTreeMap<VarId, Transfer> {
    let (before, after) = (
        variance.live.before(used.first),
        variance.live.after(used.last),
    );
    let transfer = |var: VarId| Transfer {
        fetch: before.var(var),
        // A jump out of the turn may lead to where the variable is read.
        keep: used.assigned.contains(&var) && (used.jumps || after.var(var)),
    };
    used.vars
        .iter()
        .filter(|var| kept.contains(var))
        .map(|var| (*var, transfer(*var)))
        .collect()
}

/// Conditions at workgroup level.
fn conditions(steps: &[Step<'_>]) -> Vec<ValueId> {
    let mut found = Vec::new();
    for step in steps {
        match step {
            Step::If {
                condition,
                accept,
                reject,
            } => {
                found.push(*condition);
                found.extend(conditions(accept));
                found.extend(conditions(reject));
            }
            Step::Loop {
                body,
                continuing,
                break_if,
                ..
            } => {
                found.extend(break_if);
                found.extend(conditions(body));
                found.extend(conditions(continuing));
            }
            Step::Block { body, .. } => found.extend(conditions(body)),
            Step::Once(_) | Step::Turn(_) | Step::Barrier | Step::Jump(_) => {}
        }
    }
    found
}

struct Homes<'k> {
    kernel: &'k Kernel,
    values: Values<'k>,
    once: &'k HashSet<ValueId>,
    made: HashMap<ValueId, TurnId>,
}

impl Homes<'_> {
    /// What a turn needs of earlier ones: computed anew, in order, and fetched.
    fn brought(&self, used: &Used) -> (Vec<ValueId>, Vec<ValueId>) {
        let (mut anew, mut fetched) = (BTreeSet::new(), BTreeSet::new());
        for id in &used.values {
            if used.made.contains(id) || self.at_hand(*id) {
                continue;
            }
            let mut chain = BTreeSet::new();
            if self.recomputable(*id, &mut chain) && chain.len() <= RECOMPUTE_MAX {
                anew.extend(chain);
            } else {
                fetched.insert(*id);
            }
        }
        // Operands have smaller numbers or are made earlier; order by dependence.
        (self.in_order(&anew), fetched.into_iter().collect())
    }

    fn at_hand(&self, id: ValueId) -> bool {
        (self.values.at_hand)(id) || self.once.contains(&id)
    }

    /// Can the value be computed again at any time from what is at hand everywhere? With all that it takes in `chain`.
    fn recomputable(&self, id: ValueId, chain: &mut BTreeSet<ValueId>) -> bool {
        if self.at_hand(id) || !chain.insert(id) {
            return true;
        }
        let op = &self.kernel.value(id).op;
        let repeatable = match op {
            Op::Builtin(_)
            | Op::ArrayLength { .. }
            | Op::Unary(..)
            | Op::Select { .. }
            | Op::Convert(_)
            | Op::Bitcast(_) => true,
            Op::Binary(op, ..) => !matches!(op, Binary::Divide | Binary::Modulo),
            Op::Load(address) => match address.memory {
                Memory::Buffer(buffer) => {
                    self.kernel.bindings[buffer.0 as usize].space == Space::Uniform
                }
                Memory::Workgroup(_) => false,
            },
            _ => false,
        };
        repeatable
            && chain.len() <= RECOMPUTE_MAX
            && (self.values.operands)(id)
                .into_iter()
                .all(|operand| self.recomputable(operand, chain))
    }

    fn in_order(&self, values: &BTreeSet<ValueId>) -> Vec<ValueId> {
        let mut order = Vec::new();
        let mut done = HashSet::new();
        for id in values {
            self.visit(*id, values, &mut done, &mut order);
        }
        order
    }

    fn visit(
        &self,
        id: ValueId,
        values: &BTreeSet<ValueId>,
        done: &mut HashSet<ValueId>,
        order: &mut Vec<ValueId>,
    ) {
        if !values.contains(&id) || !done.insert(id) {
            return;
        }
        for operand in (self.values.operands)(id) {
            self.visit(operand, values, done, order);
        }
        order.push(id);
    }
}
