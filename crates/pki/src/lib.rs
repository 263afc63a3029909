//! Keys, requests, certificates, chains, CRLs and bundles.
