// SPDX-License-Identifier: Apache-2.0
//! Extensions of certificates and requests: writing and reading.
