// SPDX-License-Identifier: Apache-2.0
//! Path building and verification: what an issuer returned becomes a verified set here.
