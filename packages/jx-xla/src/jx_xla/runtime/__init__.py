"""The adapter to jaxlib: the only modules of jx that import it.

jaxlib's Python interface is private and differs between versions. Each module
here owns one part of it, and everything that differs between jaxlib 0.10.2 and
0.12 is absorbed here, so that the rest of jx sees one steady interface:

=================  ==========================================================
`library`          which jaxlib, and the guard against sharing it with `jax`
`lookups`          the Python names that jaxlib's C++ looks up for itself
`flags`            options that are part of the C++ dispatcher's cache key
`plugins`          finding and loading CUDA, ROCm and TPU plugins
`clients`          platforms, clients and devices
`hlo_shardings`    what a compiler's sharding says about indices
`shardings`        `Sharding`, `SingleDeviceSharding`, `GSPMDSharding`
`named_sharding`   `NamedSharding`
`arrays`           the array class: type, place and state
`array_values`     reading arrays on the host: NumPy, printing, scalars, pickling
`placement`        putting values on devices, copying and assembling arrays
`dlpack`           exchange of arrays with other libraries, without copies
`mlir`             StableHLO modules: parsing, printing, portable artifacts
`hlo`              a module as XLA's HLO, before optimisation
`executables`      compiling, running and examining programs
`dispatch`         the C++ dispatcher behind `jit` and eager operations
`custom_calls`     native functions that compiled programs may call
=================  ==========================================================

Importing any of them starts no client and touches no device.
"""
