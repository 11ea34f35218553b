//! Custom operations as Burn backend extensions, in groups.
//!
//! | group | operations on |
//! |---|---|
//! | [`step`] | rows of tables and of features, margins of triples, penalties, Adam |
//! | [`element`] | single values and single rows |
//! | [`dense`] | whole rows of dense tables |
//! | [`table`] | whole tables |
//! | [`graph`] | edges of a graph |
//!
//! To add an operation to a group:
//!
//! 1. Declare it in the group's `mod.rs`: `operations!` takes its tensors, its constants and its documentation.
//! 2. Write its body from plain Burn operations in the group's `generic.rs`, as a function of the same name and arguments.
//!    It is correct on every device, and the fast body is tested against it.
//! 3. Write its fast body for the processor in the group's `flex.rs`, which calls a kernel.
//! 4. Write its gradient in the group's `autodiff.rs`: what the operation keeps, and what each operand gets. The gradient is
//!    usually an operation too, with a name that ends in `_backward`.
//!
//! Without step 3 every device uses the generic body; without step 4 the operation is not differentiable. A function in
//! [`functions`](crate::functions) makes it available on Burn's `Tensor`.

mod arguments;
#[cfg(any(feature = "vulkan", feature = "cuda"))]
mod cube;
mod declare;
pub mod dense;
mod device_constants;
pub mod element;
mod flex_tensor;
mod gradient_sink;
pub mod graph;
mod plain;
mod recorded;
pub mod step;
pub mod table;

pub use arguments::{RowWeights, Rows};
