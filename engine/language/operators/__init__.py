"""The operators of CQL: one module a chapter of the reference, one short function an overload."""
