// SPDX-License-Identifier: Apache-2.0
//! PKCS#12 stores (RFC 7292).
