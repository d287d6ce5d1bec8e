use std::collections::{HashMap, VecDeque};
use std::ffi::{CString, c_void};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use headwater_core::TopicPartition;
use rdkafka_sys as rs;

use super::bell::Bell;
use super::consume::{Taken, show};
use super::{Client, Message};

/// The queue with a consumer's logs and errors.
const COMMON: u64 = 0;
/// Messages that one queue may give in its turn, at least.
const LEAST_TURN: usize = 64;

/// What a consumer with a group fetches: a queue for each partition, as the Java client has it, and one with its logs and errors.
///
/// In librdkafka all partitions share one queue unless it is told otherwise, and so they share the limit of what is fetched ahead: when that is reached
/// nothing is fetched, then all begin anew in the same order, and the first ones have an answer to themselves. With a backlog those are read to their ends before any
/// other has its turn. With queues of their own each has its own limit, and those with little are fetched.
pub(crate) struct PartitionQueues {
    queues: HashMap<u64, Queue>,
    numbers: HashMap<TopicPartition, u64>,
    /// Numbers given out so far; none is used twice.
    last: u64,
    bell: Arc<Bell>,
    /// Queues that may have something, in the order in which they have their turns.
    waiting: VecDeque<u64>,
    taken: Taken,
    // Last: the queues must go before the client does.
    client: Arc<Client>,
}

/// One of librdkafka's queues, which rings when something comes and it was empty.
struct Queue {
    queue: NonNull<rs::rd_kafka_queue_t>,
    rope: Box<Rope>,
}

/// What a queue pulls.
struct Rope {
    number: u64,
    /// Whether it was pulled since the queue had its turn last.
    is_pulled: AtomicBool,
    bell: Arc<Bell>,
}

// SAFETY: librdkafka's queues may be used from any thread.
unsafe impl Send for Queue {}

impl PartitionQueues {
    /// None if the client has no group.
    pub(crate) fn new(client: &Arc<Client>) -> Option<PartitionQueues> {
        let bell = Arc::<Bell>::default();
        // SAFETY: the client is alive; the pointer is null or a reference of our own to the queue.
        let common = NonNull::new(unsafe { rs::rd_kafka_queue_get_consumer(client.native_ptr()) })?;
        let mut queues = PartitionQueues {
            queues: HashMap::new(),
            numbers: HashMap::new(),
            last: COMMON,
            bell,
            waiting: VecDeque::new(),
            taken: Taken::default(),
            client: client.clone(),
        };
        queues.take_in(COMMON, common);
        Some(queues)
    }

    /// Gives a partition its own queue; before it is read, or what is fetched first would come through the common one. Without effect if its name cannot be one.
    pub(crate) fn add(&mut self, partition: &TopicPartition) {
        self.remove(partition);
        let Ok(topic) = CString::new(&*partition.topic) else { return };
        // SAFETY: the client is alive and the name ends with NUL; the pointer is null or a reference of our own to the queue.
        let queue = unsafe { rs::rd_kafka_queue_get_partition(self.client.native_ptr(), topic.as_ptr(), partition.partition) };
        let Some(queue) = NonNull::new(queue) else { return };
        // SAFETY: the queue is alive. Forwarded nowhere by us, it stays so when the partition is assigned.
        unsafe { rs::rd_kafka_queue_forward(queue.as_ptr(), ptr::null_mut()) };
        self.last += 1;
        self.numbers.insert(partition.clone(), self.last);
        self.take_in(self.last, queue);
    }

    /// Lets go of the queue of a partition that is not read any more, with what is left in it.
    pub(crate) fn remove(&mut self, partition: &TopicPartition) {
        let Some(queue) = self.numbers.remove(partition).and_then(|number| self.queues.remove(&number)) else { return };
        // All of it is of before: librdkafka throws it away while it looks for more.
        while queue.take(LEAST_TURN, &mut self.taken) > 0 {
            self.taken.clear();
        }
    }

    fn take_in(&mut self, number: u64, queue: NonNull<rs::rd_kafka_queue_t>) {
        let rope = Box::new(Rope { number, is_pulled: AtomicBool::new(true), bell: self.bell.clone() });
        let opaque = ptr::from_ref::<Rope>(&rope).cast_mut().cast::<c_void>();
        // SAFETY: the queue is alive, and the rope stays where it is until the queue was told not to pull it any more.
        unsafe { rs::rd_kafka_queue_cb_event_enable(queue.as_ptr(), Some(pull), opaque) };
        self.queues.insert(number, Queue { queue, rope });
        // It may have had something before it could ring.
        self.waiting.push_back(number);
    }

    /// Waits up to `timeout` for something to arrive, then takes what is there, up to `max`, from all partitions alike, shows it to `f` all at once
    /// and frees it. Messages of a partition come in their order. Logs and errors are served on the way.
    ///
    /// librdkafka leaves out messages fetched before the newest assignment, seek or pause of their partition (each raises the partition's version, at
    /// the latest when the call that asks for it returns).
    pub(crate) fn fetch<T>(&mut self, max: usize, timeout: Duration, f: impl FnOnce(&[Message<'_>]) -> T) -> T {
        let began = Instant::now();
        loop {
            let left = if self.waiting.is_empty() { timeout.saturating_sub(began.elapsed()) } else { Duration::ZERO };
            let is_over = self.waiting.is_empty() && left.is_zero() && !timeout.is_zero();
            self.waiting.extend(self.bell.wait(left));
            self.take_turns(max);
            if !self.taken.is_empty() || is_over || timeout.is_zero() {
                break show(&mut self.taken, f);
            }
        }
    }

    /// Each queue that waits has its turns until all together have given so many, or no more.
    fn take_turns(&mut self, max: usize) {
        let turn = (max / self.waiting.len().max(1)).max(LEAST_TURN);
        let (mut left, mut later) = (max, Vec::new());
        while left > 0
            && let Some(number) = self.waiting.pop_front()
        {
            // One that is gone may have rung before.
            let Some(queue) = self.queues.get(&number) else { continue };
            queue.rope.is_pulled.store(false, Ordering::SeqCst);
            let asked = turn.min(left);
            let got = queue.take(asked, &mut self.taken);
            left -= got;
            // It rings when it was empty: so whoever gave anything is looked at again. Unless it has rung meanwhile, and waits already.
            if got > 0 && !queue.rope.is_pulled.swap(true, Ordering::SeqCst) {
                if got == asked { self.waiting.push_back(number) } else { later.push(number) }
            }
        }
        self.waiting.extend(later);
    }
}

impl Queue {
    /// Takes what is there, up to `max`. Answers how much that was.
    fn take(&self, max: usize, taken: &mut Taken) -> usize {
        // SAFETY: the queue is alive.
        taken.extend(max, |messages| unsafe { rs::rd_kafka_consume_batch_queue(self.queue.as_ptr(), 0, messages, max) })
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the queue is alive. librdkafka pulls the rope under the queue's lock, for which the first call waits: nobody does afterwards. Our own
        // reference is given back once.
        unsafe {
            rs::rd_kafka_queue_cb_event_enable(self.queue.as_ptr(), None, ptr::null_mut());
            rs::rd_kafka_queue_destroy(self.queue.as_ptr());
        }
    }
}

/// Something came into a queue that was empty; the queue's lock is held, so nothing is to be asked of librdkafka here.
unsafe extern "C" fn pull(_: *mut rs::rd_kafka_t, rope: *mut c_void) {
    // SAFETY: `take_in` told the queue this pointer, and the rope is there until the queue does not know it any more.
    let Some(rope) = (unsafe { rope.cast::<Rope>().as_ref() }) else { return };
    if !rope.is_pulled.swap(true, Ordering::SeqCst) {
        rope.bell.ring(rope.number);
    }
}
