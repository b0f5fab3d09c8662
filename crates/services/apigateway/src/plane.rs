//! placeholder
pub struct DataPlane;
