// SPDX-License-Identifier: Apache-2.0
//! Certificate revocation lists (RFC 5280 §5).
