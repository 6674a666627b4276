//! How do the invocations of one workgroup run together?
//!
//! Each runs, in order of `local_invocation_index`, until it waits at a barrier or ends; when all wait at the same
//! place, all go on. Workgroup memory starts as zeros.

use naga::{BuiltIn, Span};

use super::Oracle;
use super::control::Stop;
use super::error::OracleError;
use super::invocation::Invocation;
use super::memory::Memory;

/// The invocations of a workgroup, kept from one workgroup to the next.
#[derive(Debug)]
pub(super) struct Workgroup<'o, 'm> {
    oracle: &'o Oracle<'m>,
    invocations: Vec<Invocation<'m>>,
    num_workgroups: [u32; 3],
    /// Length of each buffer in words.
    extents: Vec<u32>,
}

impl<'o, 'm> Workgroup<'o, 'm> {
    pub(super) fn new(oracle: &'o Oracle<'m>, num_workgroups: [u32; 3], extents: Vec<u32>) -> Self {
        let count = oracle.workgroup_size().iter().product::<u32>();
        let invocations = (0..count).map(|_| Invocation::new()).collect();
        Self {
            oracle,
            invocations,
            num_workgroups,
            extents,
        }
    }

    /// Runs the workgroup `id` to its end.
    pub(super) fn run(&mut self, id: [u32; 3], memory: &mut Memory) -> Result<(), OracleError> {
        memory.workgroup.fill(0);
        for index in 0..self.invocations.len() {
            let arguments = self.arguments(id, index as u32);
            self.invocations[index].start(self.oracle, &arguments);
        }
        loop {
            let mut stops = Vec::with_capacity(self.invocations.len());
            for invocation in &mut self.invocations {
                stops.push(invocation.run(self.oracle, memory, &self.extents)?);
            }
            self.check_meeting(id, &stops)?;
            match stops[0] {
                Stop::End => return Ok(()),
                Stop::Barrier(_) => {}
                Stop::UniformLoad {
                    pointer, result, ..
                } => {
                    for invocation in &mut self.invocations {
                        invocation.load(self.oracle, memory, pointer, result);
                    }
                }
            }
        }
    }

    /// All must have stopped where invocation 0 did.
    fn check_meeting(&self, workgroup: [u32; 3], stops: &[Stop]) -> Result<(), OracleError> {
        for (index, stop) in stops.iter().enumerate() {
            let invocation = index as u32;
            let together = self.invocations[0].same_place(&self.invocations[index]);
            match (stops[0], *stop) {
                (Stop::End, Stop::End) => {}
                (Stop::Barrier(_), Stop::Barrier(_)) if together => {}
                (
                    Stop::UniformLoad {
                        pointer: one, span, ..
                    },
                    Stop::UniformLoad { pointer: other, .. },
                ) if together => {
                    if one != other {
                        return Err(OracleError::DivergentUniformLoad {
                            workgroup,
                            invocation,
                            span,
                        });
                    }
                }
                (one, other) => {
                    let span = barrier_of(other)
                        .or(barrier_of(one))
                        .unwrap_or(Span::UNDEFINED);
                    return Err(OracleError::DivergentBarrier {
                        workgroup,
                        invocation,
                        span,
                    });
                }
            }
        }
        Ok(())
    }

    /// The words of the entry point's arguments for one invocation.
    fn arguments(&self, id: [u32; 3], index: u32) -> Vec<u32> {
        let size = self.oracle.workgroup_size();
        let local = [
            index % size[0],
            index / size[0] % size[1],
            index / (size[0] * size[1]),
        ];
        let mut words = Vec::new();
        for input in self.oracle.inputs() {
            match input {
                BuiltIn::GlobalInvocationId => {
                    words.extend(
                        [0, 1, 2].map(|axis| {
                            id[axis].wrapping_mul(size[axis]).wrapping_add(local[axis])
                        }),
                    );
                }
                BuiltIn::LocalInvocationId => words.extend(local),
                BuiltIn::LocalInvocationIndex => words.push(index),
                BuiltIn::WorkGroupId => words.extend(id),
                BuiltIn::NumWorkGroups => words.extend(self.num_workgroups),
                BuiltIn::WorkGroupSize => words.extend(size),
                _ => {}
            }
        }
        words
    }
}

fn barrier_of(stop: Stop) -> Option<Span> {
    match stop {
        Stop::End => None,
        Stop::Barrier(span) | Stop::UniformLoad { span, .. } => Some(span),
    }
}
