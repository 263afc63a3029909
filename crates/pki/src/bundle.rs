// SPDX-License-Identifier: Apache-2.0
//! Several objects in one file: PEM in the order that a service wants.
