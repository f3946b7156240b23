//! Doubly linked queues over a slab, so that removing an entry from the middle is O(1).

use super::slot::OwnedSlot;

/// No position.
pub(crate) const NONE: u32 = u32::MAX;

/// The slots of a shard, each in at most one queue. Positions are reused.
#[derive(Default)]
pub(crate) struct Slab {
    nodes: Vec<Node>,
    free: Option<u32>,
    taken: usize,
}

struct Node {
    slot: Option<OwnedSlot>,
    // Towards the head (newer) and the tail (older); `older` of a free node is the next free one.
    newer: u32,
    older: u32,
}

impl Slab {
    pub(crate) fn len(&self) -> usize {
        self.taken
    }

    /// How far positions reach, taken or free.
    pub(crate) fn positions(&self) -> u32 {
        self.nodes.len() as u32
    }

    pub(crate) fn get(&self, position: u32) -> Option<&OwnedSlot> {
        self.nodes.get(position as usize)?.slot.as_ref()
    }

    pub(crate) fn put(&mut self, slot: OwnedSlot) -> u32 {
        self.taken += 1;
        let node = Node { slot: Some(slot), newer: NONE, older: NONE };
        if let Some(position) = self.free {
            let next = self.nodes[position as usize].older;
            self.free = (next != NONE).then_some(next);
            self.nodes[position as usize] = node;
            return position;
        }
        if self.nodes.len() == self.nodes.capacity() {
            // A quarter at a time: doubling would leave up to half of a large shard unused.
            self.nodes.reserve_exact((self.nodes.len() / 4).max(8));
        }
        self.nodes.push(node);
        (self.nodes.len() - 1) as u32
    }

    /// Takes a slot out; it must have left its queue.
    pub(crate) fn take(&mut self, position: u32) -> Option<OwnedSlot> {
        let next = self.free.unwrap_or(NONE);
        let node = self.nodes.get_mut(position as usize)?;
        let slot = node.slot.take()?;
        node.older = next;
        self.free = Some(position);
        self.taken -= 1;
        Some(slot)
    }
}

/// First in, first out, with the weight of what it holds.
pub(crate) struct Queue {
    newest: u32,
    oldest: u32,
    len: u64,
    weight: u64,
}

impl Default for Queue {
    fn default() -> Self {
        Self { newest: NONE, oldest: NONE, len: 0, weight: 0 }
    }
}

impl Queue {
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn weight(&self) -> u64 {
        self.weight
    }

    pub(crate) fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    pub(crate) fn push(&mut self, slab: &mut Slab, position: u32, weight: u32) {
        let node = &mut slab.nodes[position as usize];
        node.newer = NONE;
        node.older = self.newest;
        match self.newest {
            NONE => self.oldest = position,
            newest => slab.nodes[newest as usize].newer = position,
        }
        self.newest = position;
        self.len += 1;
        self.weight += u64::from(weight);
    }

    pub(crate) fn unlink(&mut self, slab: &mut Slab, position: u32, weight: u32) {
        let Node { newer, older, .. } = slab.nodes[position as usize];
        match newer {
            NONE => self.newest = older,
            newer => slab.nodes[newer as usize].older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => slab.nodes[older as usize].newer = newer,
        }
        self.len -= 1;
        self.weight -= u64::from(weight);
    }
}
