//! The glue between [Burn](https://burn.dev) and the kernels: each hot loop as a Burn backend extension with
//! a hand-written backward and a default body made of plain Burn operations, so that every operation runs on
//! every device and is fast where a kernel exists. The one place that a new Burn release touches.
//!
//! * [`ops`]: the extension traits, their generic bodies, their bodies for the processor (`flex`) and their gradients.
//! * [`functions`]: the same operations on Burn's `Tensor`.
//! * [`Parameters`]: named tables with their modality group, which optimisers update and files store.
//! * [`Adam`]: the optimiser.
//! * [`buffers`]: memory of large tables, reused from one step to the next.
//! * [`init`]: initialisers of the field, from a named random stream.

pub mod adam;
pub mod buffers;
pub mod device;
pub mod functions;
pub mod init;
pub mod math;
pub mod ops;
pub mod parameters;
pub mod propagation;

pub use adam::{Adam, AdamConfig};
/// Burn's tensor, in which backbones are written.
pub use burn::tensor::Tensor;
pub use device::{DeviceError, device, device_names};
pub use functions::{
    affine, affine_added_leaky, affine_leaky, blend, by_sender, collect, edge_attention, edge_softmax, gated,
    gather_rows, gather_values, larger, leaky_relu, log_partition, margins, margins_and_norm,
    mixed_attention, normalise_rows, project_rows, propagate, propagate_layers, propagate_weighted,
    range_of_rows, residual_attention, sigmoid, stack, tanh, weighted_layers, weighted_square_sum,
};
pub use ops::{RowWeights, Rows};
pub use parameters::{Group, ParameterError, Parameters, Snapshot, Values};
pub use propagation::Propagation;
