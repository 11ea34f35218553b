//! The engine beneath the Python package `equipoise`: the module `equipoise._engine`.
//!
//! What Python users see is written in Python, in `python/equipoise`. This crate hands over what Python cannot do without copies or
//! without the interpreter's lock: Arrow streams in and out, tables as buffers, and work that runs while other threads of Python
//! go on. Settings and requests come as JSON and are parsed by the types that files and HTTP use.

mod arrays;
mod arrow_in;
mod arrow_out;
mod audits;
mod columns;
mod dataset;
mod errors;
mod evaluation;
mod model;
mod runs;
mod stacking;
mod threads;
mod training;
mod words;

/// The module `equipoise._engine`.
#[pyo3::pymodule]
mod _engine {
    #[pymodule_export]
    use crate::arrays::{FloatTable, address_of};
    #[pymodule_export]
    use crate::arrow_out::ArrowTable;
    #[pymodule_export]
    use crate::audits::ImbalanceAudit;
    #[pymodule_export]
    use crate::columns::{has_split_column, item_column};
    #[pymodule_export]
    use crate::dataset::EngineDataset;
    #[pymodule_export]
    use crate::evaluation::{EngineEvaluation, evaluate};
    #[pymodule_export]
    use crate::model::{EngineAnswer, EngineModel};
    #[pymodule_export]
    use crate::runs::EngineRun;
    #[pymodule_export]
    use crate::stacking::{gain, shrunken, stack};
    #[pymodule_export]
    use crate::training::TrainingJob;

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
