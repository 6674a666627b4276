//! Which scalar operations is a matrix product made of? Matrices are columns of rows, as in WGSL.

use naga::TypeInner;

use super::Lowering;
use crate::ir::{Binary, ValueId};

impl Lowering<'_> {
    /// `left * right`, at least one of which is a matrix.
    pub(super) fn matrix_product(
        &mut self,
        left_type: &TypeInner,
        right_type: &TypeInner,
        left: &[ValueId],
        right: &[ValueId],
    ) -> Vec<ValueId> {
        match (left_type, right_type) {
            (TypeInner::Matrix { rows, .. }, TypeInner::Vector { .. }) => {
                self.matrix_times_vector(left, *rows as usize, right)
            }
            (TypeInner::Vector { .. }, TypeInner::Matrix { rows, .. }) => right
                .chunks(*rows as usize)
                .map(|column| self.dot(left, column))
                .collect(),
            (TypeInner::Matrix { rows, columns, .. }, TypeInner::Matrix { .. }) => {
                let columns_of_right = right.chunks(*columns as usize);
                columns_of_right
                    .flat_map(|column| self.matrix_times_vector(left, *rows as usize, column))
                    .collect()
            }
            _ => self.componentwise(Binary::Multiply, left, right),
        }
    }

    /// Sum of the matrix's columns, each times its component of the vector.
    fn matrix_times_vector(
        &mut self,
        matrix: &[ValueId],
        rows: usize,
        vector: &[ValueId],
    ) -> Vec<ValueId> {
        (0..rows)
            .map(|row| {
                let across: Vec<_> = matrix.iter().skip(row).step_by(rows).copied().collect();
                self.dot(&across, vector)
            })
            .collect()
    }

    /// `Σ left·right`, summed in order.
    pub(super) fn dot(&mut self, left: &[ValueId], right: &[ValueId]) -> ValueId {
        let products = self.componentwise(Binary::Multiply, left, right);
        let sum = products
            .into_iter()
            .reduce(|sum, product| self.builder.binary(Binary::Add, sum, product));
        sum.expect("a vector has components")
    }

    /// Expansion along the first column.
    pub(super) fn determinant(&mut self, ty: &TypeInner, matrix: &[ValueId]) -> ValueId {
        let TypeInner::Matrix { columns, .. } = ty else {
            unreachable!("naga has checked that a determinant is of a matrix");
        };
        let size = *columns as usize;
        let all: Vec<usize> = (0..size).collect();
        self.minor(matrix, size, 0, &all)
    }

    /// Determinant of the columns from `column` on and of the `rows` given, as many.
    fn minor(&mut self, matrix: &[ValueId], size: usize, column: usize, rows: &[usize]) -> ValueId {
        if let [row] = rows {
            return matrix[column * size + row];
        }
        let mut sum = None;
        for (index, row) in rows.iter().enumerate() {
            let others: Vec<usize> = rows.iter().copied().filter(|other| other != row).collect();
            let rest = self.minor(matrix, size, column + 1, &others);
            let element = matrix[column * size + row];
            let term = self.builder.binary(Binary::Multiply, element, rest);
            sum = Some(match sum {
                None => term,
                Some(sum) if index % 2 == 0 => self.builder.binary(Binary::Add, sum, term),
                Some(sum) => self.builder.binary(Binary::Subtract, sum, term),
            });
        }
        sum.expect("a matrix has rows")
    }
}

/// Rows become columns.
pub(super) fn transposed(ty: &TypeInner, matrix: &[ValueId]) -> Vec<ValueId> {
    let TypeInner::Matrix { rows, .. } = ty else {
        return matrix.to_vec();
    };
    let rows = *rows as usize;
    (0..rows)
        .flat_map(|row| matrix.iter().skip(row).step_by(rows).copied())
        .collect()
}
