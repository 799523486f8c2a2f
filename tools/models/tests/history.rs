//! The monitor of histories says what stateright's tester says, which keeps the whole history.

use models::config::Op;
use models::history::{Answer, History, Running, THREADS, apply};
use stateright::semantics::{ConsistencyTester as _, LinearizabilityTester, SequentialSpec};

/// One key.
#[derive(Clone, Debug, PartialEq)]
struct Register(Option<u8>);

impl SequentialSpec for Register {
    type Op = (Op, u8);
    type Ret = Answer;

    fn invoke(&mut self, (op, own): &(Op, u8)) -> Answer {
        let (value, answer) = apply(*op, *own, self.0);
        self.0 = value;
        answer
    }
}

#[test]
fn the_monitor_agrees_with_the_tester() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut verdicts = [0; 2];
    for round in 0..20_000 {
        let first = random.bool().then_some(99);
        let mut history = History::new(first);
        let mut tester = LinearizabilityTester::new(Register(first));
        let mut running: Vec<Running> = Vec::new();
        // Answers are those of a register, and now and then of none.
        let mut register = Register(first);
        let mut answers: [Option<Answer>; THREADS] = [None; THREADS];
        for own in 0..10 {
            let thread = random.usize(..THREADS);
            let at = running.iter().position(|call| call.0 == thread);
            let Some(at) = at else {
                let ops = [
                    Op::Get(0),
                    Op::Insert(0),
                    Op::TryInsert(0),
                    Op::Remove(0),
                    Op::Update(0),
                ];
                let op = ops[random.usize(..ops.len())];
                tester.on_invoke(thread, (op, own)).expect("not in a call");
                running.push((thread, op, own));
                if random.bool() {
                    answers[thread] = Some(register.invoke(&(op, own)));
                }
                continue;
            };
            let (_, op, own) = running[at];
            let taken = answers[thread].take();
            let mut answer = taken.unwrap_or_else(|| register.invoke(&(op, own)));
            if random.u8(..8) == 0 {
                answer = random.bool().then(|| random.u8(..10));
            }
            tester.on_return(thread, answer).expect("in a call");
            let right = history.returned(thread, answer, &running);
            running.swap_remove(at);
            assert_eq!(right, tester.is_consistent(), "round {round}: {tester:?}");
            verdicts[usize::from(right)] += 1;
            if !right {
                break;
            }
        }
    }
    assert!(verdicts[0] > 2_000 && verdicts[1] > 20_000, "{verdicts:?}");
}
