//! Who turns a request into a certificate.
