//! The kind of processor: what the last digits of a product depend on.

/// The kind of this processor, on which the last digits of products depend, and its caches, by which products are cut into
/// blocks. On systems that do not say, the architecture.
pub(crate) fn kind() -> String {
    let architecture = std::env::consts::ARCH;
    let Ok(info) = std::fs::read_to_string("/proc/cpuinfo") else { return architecture.into() };
    let field = |name: &str| {
        let line = info.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name));
        line.and_then(|line| line.split(':').nth(1)).map_or("?", str::trim).to_owned()
    };
    let cache = |n: u32| {
        let path = format!("/sys/devices/system/cpu/cpu0/cache/index{n}/size");
        std::fs::read_to_string(path).map_or("?".into(), |size| size.trim().to_owned())
    };
    let parts = ["vendor_id", "cpu family", "model"].map(field).into_iter().chain([0, 2, 3].map(cache));
    [architecture.to_owned()].into_iter().chain(parts).collect::<Vec<_>>().join(" ")
}
