//! mimalloc in place of the C library's allocator: for all of the process, RocksDB and librdkafka included, which are half of what allocates. It replaces
//! `malloc` itself when the binary is linked, so an application may still have a `#[global_allocator]` of its own.

/// Has it linked in: a library that nothing is called of is left out.
pub(crate) fn link() {
    std::hint::black_box(mimalloc::MiMalloc.version());
}
