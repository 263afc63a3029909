//! The files of one certificate: observe, compare, replace atomically.
