package grpo

import "math"

// Values of scale_rewards, TRL's names.
const (
	scaleGroup = "group"
	scaleBatch = "batch"
	scaleNone  = "none"
)

// Values of loss_type, TRL's names.
const (
	lossGRPO   = "grpo"
	lossDrGRPO = "dr_grpo"
	lossDAPO   = "dapo"
)

// advantageEps keeps the division finite, as in TRL.
const advantageEps = 1e-4

// groupStats describes the rewards of a batch of groups of n.
type groupStats struct {
	mean, std          float64 // mean reward; mean over groups of the standard deviation within
	zero, right, wrong float64 // shares of groups with no spread, and of those all right and all wrong
}

// advantages writes the group-relative advantage of every reward to out: the reward minus its group's mean, divided by the
// standard deviation (n-1 in the denominator, as torch.std) of the group or batch when scale says so. right tells which
// samples the verifier accepted, whatever penalties the rewards carry.
func advantages(out, rewards []float32, right []bool, n int, scale string) groupStats {
	var s groupStats
	_, batchStd := moments(rewards)
	groups := len(rewards) / n
	for g := range groups {
		r, o := rewards[g*n:(g+1)*n], out[g*n:(g+1)*n]
		mean, std := moments(r)
		by := 1.0
		switch scale {
		case scaleGroup:
			by = std + advantageEps
		case scaleBatch:
			by = batchStd + advantageEps
		}
		good := 0
		for i, v := range r {
			o[i] = float32((float64(v) - mean) / by)
			if right[g*n+i] {
				good++
			}
		}
		s.mean += mean
		s.std += std
		if std == 0 {
			s.zero++
		}
		switch good {
		case n:
			s.right++
		case 0:
			s.wrong++
		}
	}
	k := float64(groups)
	s.mean, s.std, s.zero, s.right, s.wrong = s.mean/k, s.std/k, s.zero/k, s.right/k, s.wrong/k
	return s
}

func moments(x []float32) (mean, std float64) {
	same := true
	for _, v := range x {
		mean += float64(v)
		same = same && v == x[0]
	}
	mean /= float64(len(x))
	if same || len(x) < 2 {
		return mean, 0
	}
	for _, v := range x {
		std += (float64(v) - mean) * (float64(v) - mean)
	}
	return mean, math.Sqrt(std / float64(len(x)-1))
}

// tokenWeight is the weight of a token of a completion of length tokens: mean over sequences of the mean over tokens (grpo,
// arXiv 2402.03300), sum over tokens by the constant length limit (dr_grpo, arXiv 2503.20783), mean over all tokens (dapo,
// arXiv 2503.14476).
func tokenWeight(lossType string, length, limit, rows, total int) float32 {
	switch lossType {
	case lossGRPO:
		return 1 / (float32(rows) * float32(length))
	case lossDrGRPO:
		return 1 / (float32(rows) * float32(limit))
	default:
		return 1 / float32(total)
	}
}

// overlongShare is how far a completion reaches into the last quarter of the limit, 0..1: DAPO's soft overlong punishment.
// A truncated one counts 1.
func overlongShare(length, limit int, truncated bool) float32 {
	if truncated {
		return 1
	}
	buffer := float32(limit) / 4
	return min(1, max(0, (float32(length)-(float32(limit)-buffer))/buffer))
}
