//! GPUs: every operation with its generic body.

use super::EquipoiseOps;
use super::dense::DenseOps;
use super::element::ElementOps;
use super::graph::GraphOps;
use burn::backend::Cube;

impl EquipoiseOps for Cube {}
impl GraphOps for Cube {}
impl ElementOps for Cube {}
impl DenseOps for Cube {}
