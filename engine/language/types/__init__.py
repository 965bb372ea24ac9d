"""The CQL type system, conversions and the model information a data model offers."""
