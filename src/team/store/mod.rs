//! All SQL of this room.

mod audit;
mod members;

pub use self::{
    audit::list_audit,
    members::{change_role, find_member, let_back_in, list_members, remove_member},
};
