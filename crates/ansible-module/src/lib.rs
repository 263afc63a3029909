//! The protocol between Ansible and a native module.
